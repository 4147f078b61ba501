"""Evaluation protocols: which prediction speaks for which annotated person.

Both protocols ask, for every annotated person, for the prediction with the largest overlap, without any least overlap
and without a score threshold; one prediction may speak for several people. They differ in what they choose from:

* ``paper``: what section 4.1 of DSCT (arXiv:2404.17205) describes: non-maximum suppression over the predictions of the
  image, sorted by the mean class probability of section 3.1, then the largest overlap among the rest.
* ``official``: what the released code computes and what its README's 36.21 mAP / 89.19 % refer to: every prediction
  takes part, because the two lines of NMS in ``test.py`` are commented out.

A number is only comparable to another one of the same protocol, so the name travels with every number.

Shapes: N predictions, n annotated people of one image.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor

from dsct_detrex.errors import UserError
from dsct_detrex.evaluation.overlap import nms, pixel_iou

MISSED = -1
"""Stands in for a prediction's index where an image has no prediction at all."""

DEFAULT_NMS_THRESHOLD = 0.5
"""The paper gives no threshold and the commented-out line of the official code says 0.01, which would also drop the box
of a person who merely stands next to another one; 0.5 drops repeated boxes of the same person only."""


class ProtocolError(UserError, ValueError):
    """An evaluation protocol was asked for by a name or with a setting that does not exist."""


class Protocol(ABC):
    """How predictions of an image are assigned to its annotated people."""

    name: ClassVar[str]

    @property
    @abstractmethod
    def sentence(self) -> str:
        """One sentence for reports: what was done, with its settings."""

    @abstractmethod
    def candidates(self, boxes: Tensor, scores: Tensor) -> Tensor:
        """Predictions that may speak for a person.

        Args:
            boxes: (N, 4) xyxy, original pixels.
            scores: (N,) mean class probability.

        Returns:
            (kept,) int64 indices into the predictions, ascending.
        """

    def match(self, boxes: Tensor, scores: Tensor, people: Tensor) -> Tensor:
        """The prediction with the largest ``pixel_iou`` for every annotated person.

        Equal overlaps (also: no overlap with anything) go to the lowest prediction index. The official code leaves them
        to an unstable sort.

        Args:
            boxes: (N, 4) predictions, xyxy, original pixels.
            scores: (N,) mean class probability of the predictions.
            people: (n, 4) annotated people, xyxy, original pixels.

        Returns:
            (n,) int64 indices into the predictions; all ``MISSED`` when there is no prediction.
        """
        if len(boxes) == 0:
            return torch.full((len(people),), MISSED, dtype=torch.int64)
        candidates = self.candidates(boxes, scores)
        return candidates[pixel_iou(people, boxes[candidates]).argmax(-1)]


class PaperProtocol(Protocol):
    """Section 4.1: non-maximum suppression, then the largest overlap.

    Args:
        nms_threshold: overlap in [0, 1] above which the prediction of lower mean probability is dropped.

    Raises:
        ProtocolError: the threshold is outside [0, 1].
    """

    name = "paper"

    def __init__(self, nms_threshold: float = DEFAULT_NMS_THRESHOLD) -> None:
        if not 0.0 <= nms_threshold <= 1.0:
            raise ProtocolError(f"PaperProtocol(nms_threshold=) expects a number in [0, 1]. Got {nms_threshold}.")
        self.nms_threshold = nms_threshold

    @property
    def sentence(self) -> str:
        return (
            f"paper protocol: NMS (IoU > {self.nms_threshold:g}) by mean class probability, "
            "then the prediction with the largest overlap speaks for each annotated person."
        )

    def candidates(self, boxes: Tensor, scores: Tensor) -> Tensor:
        return nms(boxes, scores, self.nms_threshold).sort().values


class OfficialProtocol(Protocol):
    """The released ``test.py``: the largest overlap among all predictions."""

    name = "official"

    @property
    def sentence(self) -> str:
        return (
            "official protocol: no NMS, no least overlap; "
            "the prediction with the largest overlap speaks for each annotated person."
        )

    def candidates(self, boxes: Tensor, scores: Tensor) -> Tensor:
        return torch.arange(len(boxes), device=boxes.device)


def get_protocol(name: str, nms_threshold: float | None = None) -> Protocol:
    """A protocol by name, for config files.

    Args:
        name: ``"paper"`` or ``"official"``.
        nms_threshold: only for ``"paper"``; ``None`` takes its default.

    Raises:
        ProtocolError: an unknown name (the message lists the known ones), or a threshold for the protocol without NMS.
    """
    if name == PaperProtocol.name:
        return PaperProtocol() if nms_threshold is None else PaperProtocol(nms_threshold)
    if name != OfficialProtocol.name:
        known = f"{PaperProtocol.name}, {OfficialProtocol.name}"
        raise ProtocolError(f"get_protocol(name=) expects one of {known}. Got {name!r}.")
    if nms_threshold is not None:
        raise ProtocolError(
            f"get_protocol({name!r}, nms_threshold=) expects None, because this protocol has no NMS. "
            f"Got {nms_threshold}. Use protocol 'paper', or drop the threshold."
        )
    return OfficialProtocol()
