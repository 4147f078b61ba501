"""One run, one kind of boxes: a model trained on bodies is not measured on heads unless somebody asked for it."""

from __future__ import annotations

from dsct_detrex.errors import UserError


def check_same_boxes(train: object, test: object) -> None:
    """Compare the boxes of the data sets of one run.

    Args:
        train, test: data sets; those without ``boxes`` (see ``disk.DiskDataset``) agree with everything.

    Raises:
        UserError: they have boxes of different kinds, and not both were asked for with ``boxes``.
    """
    kinds = [getattr(dataset, "boxes", None) for dataset in (train, test)]
    if None in kinds or kinds[0] == kinds[1]:
        return
    if not all(getattr(dataset, "boxes_stated", False) for dataset in (train, test)):
        names = [f"{getattr(dataset, 'description', dataset)}" for dataset in (train, test)]
        raise UserError(
            f"Training is on {names[0]}, the evaluation on {names[1]}: two different kinds of boxes. Set "
            "data.boxes.train and data.boxes.test to the same kind (body or head), or each to its own if that is meant."
        )
