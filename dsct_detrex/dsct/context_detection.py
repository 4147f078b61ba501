"""A detection loss on contexts: the host goes on recognising things while people's emotions are learnt.

Without it contexts have no loss of their own, and forget within a few hundred steps what a detector taught them. The
things come with the picture (``objects`` beside ``instances``), from drawn scenes or from annotated ones; where nobody
annotated any, the detections of the host of the start stand in for them (``frozen_start``).

Sources of the terms: Deformable DETR, arXiv:2010.04159: focal classification, L1 and generalised IoU after Hungarian
matching, on every layer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from dsct_detrex.dsct.context_heads import ContextHeads
from dsct_detrex.dsct.decoder import LayerOutput
from dsct_detrex.dsct.frozen_start import FrozenStart
from dsct_detrex.objective.criterion import DSCTCriterion
from dsct_detrex.objective.group_task import GroupTask
from dsct_detrex.objective.targets import Target, target_from_instances
from dsct_detrex.structures import ObjectClasses

FIELD = "objects"
"""Key of a model input that holds the annotated things, ``Instances`` with ``gt_boxes`` and ``gt_classes``; None where
nobody annotated this picture."""


class ContextDetection:
    """What contexts should say.

    Args:
        classes: what the host's class heads name, in annotations; None with a teacher, whose classes the host has.
        criterion: matcher and losses; its ``classification`` is that of one class a box (``focal_for(classes)``).
        weight: factor of the losses beside those of the subjects.
        teacher: says what is there instead of annotations.

    Raises:
        ValueError: a weight that is not positive, annotated classes and a teacher, or neither.
    """

    def __init__(
        self,
        classes: ObjectClasses | None,
        criterion: DSCTCriterion,
        weight: float = 1.0,
        teacher: FrozenStart | None = None,
    ) -> None:
        if not weight > 0:
            raise ValueError(f"ContextDetection(weight=) expects a positive number. Got {weight}.")
        if (classes is None) == (teacher is None):
            raise ValueError(
                "ContextDetection expects annotated things or a teacher, one of the two. Got "
                f"{'neither' if teacher is None else 'both'}; in a config, data.objects annotates things and "
                "model.context_detection.teacher_threshold makes the start a teacher."
            )
        self.classes = classes
        self.criterion = criterion
        self.weight = weight
        self.teacher = teacher

    @property
    def num_classes(self) -> int | None:
        """K, where the annotations say it."""
        return None if self.classes is None else self.classes.num_emotions

    def targets(self, batched_inputs: Sequence[Mapping[str, Any]]) -> list[Target | None]:
        """The annotated things of a batch; None for a picture that nobody annotated.

        Raises:
            ValueError: an input does not say (an empty list of things is an annotation).
        """
        assert self.classes is not None
        for entry in batched_inputs:
            if FIELD not in entry:
                raise ValueError(
                    f"ContextDetection expects {FIELD!r} in every input, the things of a picture beside its people. "
                    f"Got {', '.join(entry)}: use a data set that annotates things and a DatasetMapper(objects=...)."
                )
        found = [entry[FIELD] for entry in batched_inputs]
        return [None if one is None else target_from_instances(one, self.classes) for one in found]

    def __call__(
        self, heads: ContextHeads, layers: Sequence[LayerOutput], targets: Sequence[Target | None]
    ) -> dict[str, Tensor]:
        """The weighted losses, ``loss_class_objects``, ``loss_bbox_objects`` ... and those of earlier layers.

        Args:
            heads: of the host.
            layers: of the decoder.
            targets: the things of each image, on the device of the predictions; where None, its contexts may say what
                they like.
        """
        said = heads.predictions(layers)
        _, images, contexts, _ = said["pred_boxes"].shape
        device = said["pred_boxes"].device
        nothing = Target(said["pred_boxes"].new_zeros(0, 4), torch.zeros(0, dtype=torch.int64, device=device))
        unknown = torch.tensor([target is None for target in targets], device=device)
        known = [nothing if target is None else target for target in targets]
        task = GroupTask(
            "objects",
            self.weight,
            self.criterion.matcher,
            answers=sum(len(target) for target in known),
            padding=unknown[:, None].expand(images, contexts) if any(target is None for target in targets) else None,
        )
        return self.criterion.extra_losses(said, known, task)


def context_detection(
    classes: ObjectClasses | None,
    criterion: DSCTCriterion,
    weight: float = 1.0,
    teacher_threshold: float | None = None,
) -> ContextDetection | None:
    """``ContextDetection`` where somebody says what there is to detect, for config files; else None.

    Args:
        classes: of the annotated things; None: nothing is annotated.
        criterion, weight: see ``ContextDetection``.
        teacher_threshold: of a ``FrozenStart``; None: nobody teaches.
    """
    teacher = None if teacher_threshold is None else FrozenStart(teacher_threshold)
    return None if classes is None and teacher is None else ContextDetection(classes, criterion, weight, teacher)
