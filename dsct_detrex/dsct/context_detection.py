"""A detection loss on contexts: the host goes on recognising things while people's emotions are learnt.

Without it contexts have no loss of their own, and forget within a few hundred steps what a detector taught them. The
things come with the picture (``objects`` beside ``instances``), from drawn scenes or from annotated ones.

Sources of the terms: Deformable DETR, arXiv:2010.04159: focal classification, L1 and generalised IoU after Hungarian
matching, on every layer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor

from dsct_detrex.dsct.context_heads import ContextHeads
from dsct_detrex.dsct.decoder import LayerOutput
from dsct_detrex.objective.criterion import DSCTCriterion
from dsct_detrex.objective.group_task import GroupTask
from dsct_detrex.objective.targets import Target, targets_from_instances
from dsct_detrex.structures import ObjectClasses

FIELD = "objects"
"""Key of a model input that holds the annotated things, ``Instances`` with ``gt_boxes`` and ``gt_classes``."""


class ContextDetection:
    """What contexts should say.

    Args:
        classes: what the host's class heads name.
        criterion: matcher and losses; its ``classification`` is that of one class a box (``focal_for(classes)``).
        weight: factor of the losses beside those of the subjects.

    Raises:
        ValueError: a weight that is not positive.
    """

    def __init__(self, classes: ObjectClasses, criterion: DSCTCriterion, weight: float = 1.0) -> None:
        if not weight > 0:
            raise ValueError(f"ContextDetection(weight=) expects a positive number. Got {weight}.")
        self.classes = classes
        self.criterion = criterion
        self.weight = weight

    def targets(self, batched_inputs: Sequence[Mapping[str, Any]]) -> list[Target]:
        """The annotated things of a batch.

        Raises:
            ValueError: an input has none annotated (an empty list of them is an annotation).
        """
        for entry in batched_inputs:
            if FIELD not in entry:
                raise ValueError(
                    f"ContextDetection expects {FIELD!r} in every input, the things of a picture beside its people. "
                    f"Got {', '.join(entry)}: use a data set that annotates things and a DatasetMapper(objects=...)."
                )
        return targets_from_instances([entry[FIELD] for entry in batched_inputs], self.classes)

    def __call__(
        self, heads: ContextHeads, layers: Sequence[LayerOutput], targets: Sequence[Target]
    ) -> dict[str, Tensor]:
        """The weighted losses, ``loss_class_objects``, ``loss_bbox_objects`` ... and those of earlier layers.

        Args:
            heads: of the host.
            layers: of the decoder.
            targets: the things of each image, on the device of the predictions.
        """
        count = sum(len(target) for target in targets)
        task = GroupTask("objects", self.weight, self.criterion.matcher, answers=count)
        return self.criterion.extra_losses(heads.predictions(layers), targets, task)


def context_detection(
    classes: ObjectClasses | None, criterion: DSCTCriterion, weight: float = 1.0
) -> ContextDetection | None:
    """``ContextDetection`` where the data annotate things, for config files; else None.

    Args:
        classes: of the annotated things; None: nothing is annotated.
        criterion, weight: see ``ContextDetection``.
    """
    return None if classes is None else ContextDetection(classes, criterion, weight)
