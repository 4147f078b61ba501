"""Evaluation protocols: which prediction speaks for which annotated person.

The paper's two protocols ask, for every annotated person, for the prediction with the largest overlap, without any
least overlap and without a score threshold; one prediction may speak for several people. They differ in what they
choose from:

* ``paper``: what section 4.1 of DSCT (arXiv:2404.17205) describes: non-maximum suppression over the predictions of the
  image, sorted by the mean class probability of section 3.1, then the largest overlap among the rest.
* ``official``: what the released code computes and what its README's 36.21 mAP / 89.19 % refer to: every prediction
  takes part, because the two lines of NMS in ``test.py`` are commented out.

The third, ``strict``, is ours: after the same suppression a prediction speaks for a person only with an IoU of at least
0.5, and for one person only; who is left is missed, and no threshold brings them back. It tells a model that finds
people from one that guesses the picture's mood, which the other two cannot.

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
from dsct_detrex.layers.boxes import elementwise_box_iou

MISSED = -1
"""Stands in for a prediction's index where none speaks for the person."""

FOUND_IOU = 0.5
"""Continuous IoU from which a person counts as found: in the strict protocol, and in ``recall50`` of every one."""

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
            raise ProtocolError(
                f"{type(self).__name__}(nms_threshold=) expects a number in [0, 1]. Got {nms_threshold}."
            )
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


class StrictProtocol(PaperProtocol):
    """One person, one prediction that really overlaps: IoU of at least ``FOUND_IOU``, after suppression.

    Pairs are made greedily, the closest first, without a look at any score: the pair of largest IoU among all that are
    left, equal ones by the lowest person, then by the lowest prediction. Who is left without a partner is missed.
    """

    name = "strict"

    @property
    def sentence(self) -> str:
        return (
            f"strict protocol: NMS (IoU > {self.nms_threshold:g}) by mean class probability, then one prediction for "
            f"one person, the closest pairs first, with an IoU of at least {FOUND_IOU:g}; everyone else is missed."
        )

    def match(self, boxes: Tensor, scores: Tensor, people: Tensor) -> Tensor:
        """The prediction of each person's pair; ``MISSED`` where there is none. Shapes as in ``Protocol.match``."""
        chosen = torch.full((len(people),), MISSED, dtype=torch.int64)
        if len(boxes) == 0 or len(people) == 0:
            return chosen
        candidates = self.candidates(boxes, scores)
        overlaps = elementwise_box_iou(people[:, None], boxes[candidates][None], eps=0.0)[0].nan_to_num(0.0)
        for _ in range(min(overlaps.shape)):
            person, candidate = divmod(int(overlaps.argmax()), len(candidates))
            if overlaps[person, candidate] < FOUND_IOU:
                break
            chosen[person] = candidates[candidate]
            overlaps[person] = overlaps[:, candidate] = -1.0
        return chosen


_WITH_NMS: dict[str, type[PaperProtocol]] = {kind.name: kind for kind in (PaperProtocol, StrictProtocol)}


def get_protocol(name: str, nms_threshold: float | None = None) -> Protocol:
    """A protocol by name, for config files.

    Args:
        name: ``"paper"``, ``"official"`` or ``"strict"``.
        nms_threshold: not for ``"official"``; ``None`` takes the default.

    Raises:
        ProtocolError: an unknown name (the message lists the known ones), or a threshold for the protocol without NMS.
    """
    if name in _WITH_NMS:
        return _WITH_NMS[name]() if nms_threshold is None else _WITH_NMS[name](nms_threshold)
    if name != OfficialProtocol.name:
        known = f"{PaperProtocol.name}, {OfficialProtocol.name}, {StrictProtocol.name}"
        raise ProtocolError(f"get_protocol(name=) expects one of {known}. Got {name!r}.")
    if nms_threshold is not None:
        raise ProtocolError(
            f"get_protocol({name!r}, nms_threshold=) expects None, because this protocol has no NMS. "
            f"Got {nms_threshold}. Use protocol 'paper' or 'strict', or drop the threshold."
        )
    return OfficialProtocol()
