"""The data sets of one run beside each other.

One kind of boxes: a model trained on bodies is not measured on heads unless somebody asked for it. And a score on
pictures that were trained on says so.
"""

from __future__ import annotations

import os

from dsct_detrex.data.dataset import Subset
from dsct_detrex.data.disk import DiskDataset
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


def shared_pictures(train: object, test: object) -> str | None:
    """Says how many pictures are in both data sets of a run, for beside its scores; None where there are none.

    Args:
        train, test: data sets; those that are not of picture files share nothing.
    """
    trained, measured = _files(train), _files(test)
    shared = sorted(trained & measured)
    if not shared:
        return None
    return (
        f"{len(shared):,} of the {len(measured):,} images that are evaluated are trained on as well (first: "
        f"{shared[0]}): the scores overstate how well the model does on images that it has not seen."
    )


def _files(dataset: object) -> set[str]:
    whole = dataset.whole if isinstance(dataset, Subset) else dataset
    if not isinstance(whole, DiskDataset) or not isinstance(dataset, Subset | DiskDataset):
        return set()
    return {os.path.abspath(dataset.record(index)["file_name"]) for index in range(len(dataset))}
