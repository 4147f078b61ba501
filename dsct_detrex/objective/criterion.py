"""Eq. 3: the training losses of DSCT, for the last decoder layer and every auxiliary one.

All layers are one tensor from start to end: one matching call, one focal loss, one gather of matched boxes. Apart from
the matcher's one copy no step reads a value back from the device.

Shapes: L layers, B images, N queries, K emotions, T matched pairs of all layers and images.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from dsct_detrex.objective.assignment import Assigner
from dsct_detrex.objective.classification import EmotionFocal
from dsct_detrex.objective.group_task import GroupTask
from dsct_detrex.objective.overlap import generalized_iou
from dsct_detrex.objective.shares import share_of_answers
from dsct_detrex.objective.targets import Target, pad_targets


class DSCTCriterion:
    """Weighted classification, L1 and generalised IoU losses of the subject queries.

    Args:
        matcher: decides which query answers for which person; Hungarian matching in the paper.
        classification: the focal loss of the data set's kind of emotions.
        weight_class, weight_bbox, weight_giou: lambda of Eq. 3. The official runs use 5, 5, 2 for EMOTIC and 9, 5, 2
            for CAER-S; the paper's text says 5 for both box terms. Read at every call, so they may change any time.
        aux_loss: train every decoder layer, not the last one only.

    Raises:
        ValueError: a weight is negative.
    """

    def __init__(
        self,
        matcher: Assigner,
        classification: EmotionFocal,
        weight_class: float = 5.0,
        weight_bbox: float = 5.0,
        weight_giou: float = 2.0,
        aux_loss: bool = True,
    ) -> None:
        for name, weight in (("class", weight_class), ("bbox", weight_bbox), ("giou", weight_giou)):
            if weight < 0:
                raise ValueError(f"DSCTCriterion(weight_{name}=) expects a weight that is not negative. Got {weight}.")
        self.matcher = matcher
        self.classification = classification
        self.weight_class = weight_class
        self.weight_bbox = weight_bbox
        self.weight_giou = weight_giou
        self.aux_loss = aux_loss

    def __call__(self, outputs: Mapping[str, Tensor], targets: Sequence[Target]) -> dict[str, Tensor]:
        """The weighted losses of a batch; their sum is what training minimises.

        Args and errors: see ``losses``.

        Returns:
            scalars: ``loss_class``, ``loss_bbox``, ``loss_giou`` of the last layer and, with ``aux_loss``, the same
            names with ``_0`` ... ``_{L-2}`` for the layers before it.
        """
        return self._weighted(self.losses(outputs, targets))

    def extra_losses(
        self, outputs: Mapping[str, Tensor], targets: Sequence[Target], task: GroupTask
    ) -> dict[str, Tensor]:
        """The weighted losses of training-only queries, to be added to those of the subjects.

        Args and errors: see ``losses``; ``outputs`` are those of the extra queries.
            task: what is asked of them.

        Returns:
            scalars named like those of a call, with the name of the task: ``loss_class_dn``, ``loss_class_dn_0`` ...
        """
        return self._weighted(self.losses(outputs, targets, task), f"_{task.name}", task.weight)

    def losses(
        self, outputs: Mapping[str, Tensor], targets: Sequence[Target], task: GroupTask | None = None
    ) -> dict[str, Tensor]:
        """The unweighted losses of every layer.

        Args:
            outputs: ``pred_logits`` (L, B, N, K + 1) and ``pred_boxes`` (L, B, N, 4) ``cxcywh`` normalised to the
                unpadded image; the last layer is the main one.
            targets: the people of each of the B images, on the device of the predictions.
            task: of training-only queries; None for the subjects, which the matcher assigns.

        Returns:
            ``class``, ``bbox``, ``giou``, each (L,) float32, summed over the batch and divided by the number of people,
            or of answers that the task asks for: those of all processes, at least 1, shared out evenly, so that the
            mean over processes is the loss of one process with all images. Without ``aux_loss`` L is 1.

        Raises:
            ValueError: the number of targets is not B.
            FloatingPointError: predictions or target boxes are not finite.
        """
        logits, boxes = outputs["pred_logits"], outputs["pred_boxes"]
        if len(targets) != logits.shape[1]:
            raise ValueError(
                f"DSCTCriterion(targets=) expects one Target for each of {logits.shape[1]} images. Got {len(targets)}."
            )
        if not self.aux_loss:
            logits, boxes = logits[-1:], boxes[-1:]
        with torch.autocast(logits.device.type, enabled=False):
            return self.group_losses(logits.float(), boxes.float(), targets, task or self.task(targets))

    def task(self, targets: Sequence[Target]) -> GroupTask:
        """What is asked of the subjects: one answer for each person, whether or not a query was left for each."""
        return GroupTask("", 1.0, self.matcher, answers=sum(len(target) for target in targets))

    def group_losses(
        self, logits: Tensor, boxes: Tensor, targets: Sequence[Target], task: GroupTask
    ) -> dict[str, Tensor]:
        """``losses`` for queries that have one task.

        Args:
            logits, boxes: float32, as in ``losses``.
        """
        target_boxes, target_emotions = pad_targets(targets)
        layer, image, query, person = task.assigner(logits, boxes, targets).to(logits.device).pairs.unbind()
        found, wanted = boxes[layer, image, query], target_boxes[image, person]
        num_layers, answers = len(logits), share_of_answers(task.answers, logits.device)
        by_class = self.classification.loss(logits, (layer, image, query), target_emotions[image, person], task.padding)
        by_l1 = _sum_by_layer((found - wanted).abs().sum(-1), layer, num_layers)
        by_giou = _sum_by_layer(1 - generalized_iou(found, wanted), layer, num_layers)
        return {"class": by_class / answers, "bbox": by_l1 / answers, "giou": by_giou / answers}

    def _weighted(self, losses: Mapping[str, Tensor], suffix: str = "", weight: float = 1.0) -> dict[str, Tensor]:
        weights = {"class": self.weight_class, "bbox": self.weight_bbox, "giou": self.weight_giou}
        return {
            f"loss_{term}{suffix}" + ("" if layer == len(values) - 1 else f"_{layer}"): weight * weights[term] * value
            for term, values in losses.items()
            for layer, value in enumerate(values.unbind())
        }


def _sum_by_layer(values: Tensor, layer: Tensor, num_layers: int) -> Tensor:
    """(T,) values and their layers -> (L,) sums, in a fixed order of addition (unlike atomics).

    Without a pair the sums are zeros that still belong to the graph: every head receives a gradient.
    """
    of_layer = layer == torch.arange(num_layers, device=layer.device)[:, None]
    return torch.where(of_layer, values, 0.0).sum(-1)
