"""A DSCT model as a function of one tensor: pictures of one size in, their people out. It is what gets exported.

Shapes: B pictures, N subjects, K emotions.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from dsct_detrex.dsct import DSCT
from dsct_detrex.layers.boxes import box_cxcywh_to_xyxy

INPUT: Final = "images"
OUTPUTS: Final = ("boxes", "scores", "probabilities", "logits")


class PeopleOfPictures(nn.Module):
    """Everything from raw pixels to probabilities, so that whoever runs it needs no arithmetic of ours.

    Args:
        model: in evaluation mode.
    """

    def __init__(self, model: DSCT) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Find people.

        Args:
            images: (B, 3, H, W) float32, RGB 0-255, resized as evaluation resizes. All of one size: nothing is padding.

        Returns:
            ``boxes`` (B, N, 4) xyxy in [0, 1] of the picture; ``scores`` (B, N) confidence that it is a person;
            ``probabilities`` (B, N, K); ``logits`` (B, N, K + 1), see ``structures.emotions``.
        """
        model = self.model
        nothing_padded = torch.zeros_like(images[:, 0], dtype=torch.bool)
        last = model.decode_batch(model.normalizer.normalise(images), nothing_padded)[-1]
        logits = last.logits.float()
        boxes = box_cxcywh_to_xyxy(last.boxes.float())
        return boxes, model.emotions.subject_scores(logits), model.emotions.probabilities(logits), logits
