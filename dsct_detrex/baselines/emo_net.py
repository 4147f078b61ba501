"""EMO-Net: emotions of given people from two ResNets, one on the person and one on the scene, fused late.

The two-stage model that the paper re-implements for Table 4 and Figure 7 (section 4.3), after the baseline of EMOTIC
(Kosti et al., arXiv:2003.13401): pooled features of both branches are concatenated and classified by a small network.
``mask_subjects`` gives EMO-Net-R50-M, whose scene branch never sees the person, after CAER-Net (arXiv:1908.05913). The
papers leave details open; loss, data and protocols here are those of DSCT, so that the architecture is what differs.

Shapes: B images, P people of the batch, K emotions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from dsct_detrex.baselines.boxes import GIVEN, AnnotatedBoxes, BoxSource
from dsct_detrex.baselines.crops import person_crops, scenes
from dsct_detrex.dsct.images import ImageNormalizer, original_size
from dsct_detrex.objective.classification import EmotionFocal
from dsct_detrex.objective.shares import share_of_answers
from dsct_detrex.objective.targets import targets_from_instances
from dsct_detrex.structures import Emotions, Instances, predicted_people


class EMONet(nn.Module):
    """Two branches and late fusion.

    Args:
        subject_backbone: (P, 3, subject_size, subject_size) to a dict whose last map is read; ``output_shape()`` says
            its channels, as for every backbone of detectron2.
        context_backbone: likewise for scenes.
        emotions: what the logits mean.
        classification: focal loss of the data set's kind of emotions; needed for training only.
        boxes: who the people are in evaluation; None: the annotated ones. Training always reads the annotations.
        mask_subjects: whether people are painted over in their own scene (EMO-Net-R50-M).
        subject_size, context_size: sides of the two inputs in pixels (EMOTIC's baseline: 128, 224).
        hidden_dim: width of the fused feature.
        dropout: on the fused feature.
        pixel_mean, pixel_std: RGB, 0-255.
        device: moved there when built.
    """

    def __init__(
        self,
        subject_backbone: nn.Module,
        context_backbone: nn.Module,
        emotions: Emotions,
        classification: EmotionFocal | None = None,
        boxes: BoxSource | None = None,
        mask_subjects: bool = False,
        subject_size: int = 128,
        context_size: int = 224,
        hidden_dim: int = 256,
        dropout: float = 0.5,
        pixel_mean: Sequence[float] = (123.675, 116.28, 103.53),
        pixel_std: Sequence[float] = (58.395, 57.12, 57.375),
        device: str = "cpu",
    ) -> None:
        super().__init__()
        self.subject_backbone = subject_backbone
        self.context_backbone = context_backbone
        self.emotions = emotions
        self.classification = classification
        self.boxes = AnnotatedBoxes() if boxes is None else boxes
        self.caution = GIVEN if isinstance(self.boxes, AnnotatedBoxes) else None
        self.mask_subjects = mask_subjects
        self.subject_size = subject_size
        self.context_size = context_size
        self.fusion = nn.Sequential(
            nn.Linear(_channels(subject_backbone) + _channels(context_backbone), hidden_dim),
            nn.LayerNorm(hidden_dim),  # not over the batch: the number of people varies, and may be one
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden_dim, emotions.num_logits),
        )
        self.normalizer = ImageNormalizer(pixel_mean, pixel_std)
        self.to(device)

    def forward(self, batched_inputs: list[dict[str, Any]]) -> dict[str, Tensor] | list[dict[str, Instances]]:
        """Loss in training, people in evaluation; inputs and outputs as for ``dsct.DSCT``.

        Returns:
            in training ``{"loss_class"}``, the focal loss a person; in evaluation per image one row for each given
            box.

        Raises:
            ValueError: training without a classification loss.
            UserError: the box source has no boxes to give.
        """
        if self.training:
            return {"loss_class": self._loss(batched_inputs)}
        people = [self.boxes(entry).to(self.device) for entry in batched_inputs]
        frames = [original_size(entry) for entry in batched_inputs]
        images = [entry["image"] for entry in batched_inputs]
        boxes_of = [
            boxes * boxes.new_tensor(_scale(frame, image)) for (boxes, _), frame, image in zip(people, frames, images)
        ]
        logits = torch.split(self.classify(images, boxes_of), [len(boxes) for boxes in boxes_of])
        return [
            {"instances": predicted_people(frame, boxes, of_image.float(), self.emotions, scores)}
            for frame, of_image, (boxes, scores) in zip(frames, logits, people)
        ]

    @property
    def device(self) -> torch.device:
        return self.normalizer.mean.device

    def classify(self, images: Sequence[Tensor], boxes: Sequence[Tensor]) -> Tensor:
        """Emotion logits of people.

        Args:
            images: B of (3, h, w), RGB 0-255, any sizes.
            boxes: for each image (n, 4) ``xyxy`` in its pixels.

        Returns:
            (P, K + 1), image after image; (0, K + 1) without people.
        """
        pixels = [self.normalizer.normalise(image) for image in images]
        crops = torch.cat([person_crops(x, b, self.subject_size) for x, b in zip(pixels, boxes)])
        views = torch.cat([scenes(x, b, self.context_size, self.mask_subjects) for x, b in zip(pixels, boxes)])
        if not len(crops):
            return self.normalizer.mean.new_zeros(0, self.emotions.num_logits)
        features = [_pool(self.subject_backbone(crops)), _pool(self.context_backbone(views))]
        logits: Tensor = self.fusion(torch.cat(features, -1))
        return logits

    def _loss(self, batched_inputs: Sequence[Mapping[str, Any]]) -> Tensor:
        if self.classification is None:
            raise ValueError("EMONet(classification=) expects a loss when the model is in training mode. Got None.")
        instances = [entry["instances"].to(self.device) for entry in batched_inputs]
        share = share_of_answers(sum(len(people) for people in instances), self.device)
        logits = self.classify([entry["image"] for entry in batched_inputs], [i.gt_boxes.tensor for i in instances])
        if not len(logits):  # no people in the batch: a zero that every parameter has a part in
            return sum((p.sum() * 0.0 for p in self.parameters() if p.requires_grad), self.normalizer.mean.sum() * 0.0)
        emotions = torch.cat([target.emotions for target in targets_from_instances(instances, self.emotions)])
        person = torch.arange(len(logits), device=logits.device)
        first = torch.zeros_like(person)
        loss = self.classification.loss(logits.float()[None, None], (first, first, person), emotions)
        return loss[0] / share


def _channels(backbone: Any) -> int:
    """Channels of the last map."""
    return int(list(backbone.output_shape().values())[-1].channels)


def _pool(maps: Mapping[str, Tensor]) -> Tensor:
    """(P, C) mean over the positions of the last map."""
    return list(maps.values())[-1].mean((-2, -1))


def _scale(frame: tuple[int, int], image: Tensor) -> list[float]:
    """Factors from ``xyxy`` of the original image to pixels of the model's input."""
    height, width = image.shape[-2:]
    return [width / frame[1], height / frame[0]] * 2
