"""Who is who over the frames of a clip: ByteTrack of the package ``trackers``, fed with what the model finds.

ByteTrack (arXiv:2110.06864) joins boxes of following frames by their overlap with where each person was expected.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import torch

from dsct_detrex.errors import UserError
from dsct_detrex.structures import Instances

_PATIENCE = 30
"""For how many frames of a 30th of a second a person is remembered who is not found: a second."""


class Identities:
    """The people of one clip.

    Args:
        rate: frames a second that are looked at.
        threshold: least confidence of a person; whoever is shown is followed.

    Raises:
        UserError: the package is missing.
    """

    def __init__(self, rate: float, threshold: float) -> None:
        self._supervision, trackers = _package("supervision"), _package("trackers")
        # Patience is counted in frames, and at less than one frame it would forget everybody at once.
        self._tracker = trackers.ByteTrackTracker(
            lost_track_buffer=_PATIENCE,
            frame_rate=max(rate, 2.0),
            track_activation_threshold=threshold,
            minimum_consecutive_frames=1,
            high_conf_det_threshold=threshold,
        )
        self._numbers: dict[int, int] = {}

    @property
    def number(self) -> int:
        """How many there were so far."""
        return len(self._numbers)

    def follow(self, people: Instances) -> Instances:
        """The people of the next frame with a field ``track`` (n,) int64: numbers from 1, 0 for nobody known yet.

        Args:
            people: ``pred_boxes`` in pixels, ``scores``.
        """
        boxes = people.pred_boxes.tensor.numpy().astype(np.float32).reshape(-1, 4)
        found = self._supervision.Detections(
            xyxy=boxes, confidence=people.scores.numpy().astype(np.float32), data={"row": np.arange(len(boxes))}
        )
        known = self._tracker.update(found)
        tracks = torch.zeros(len(boxes), dtype=torch.int64)
        for row, identity in zip(known.data.get("row", ()), known.tracker_id, strict=True):
            if identity >= 0:
                tracks[int(row)] = self._numbers.setdefault(int(identity), len(self._numbers) + 1)
        followed = Instances(people.image_size, **people.get_fields())
        followed.track = tracks
        return followed


def check_trackers() -> None:
    """Refuse before any work where the package is missing.

    Raises:
        UserError: says how to install it.
    """
    _package("supervision")
    _package("trackers")


def _package(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise UserError(
            f"predict: following people through a video needs {name}, which cannot be imported ({error}). Install it "
            "with: pip install trackers. Or add --no-tracks."
        ) from error
