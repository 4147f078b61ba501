"""A release with other thresholds and a temperature: its header changes, its tensors stay bit for bit and as stored."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dsct_detrex.paths import user_path
from dsct_detrex.weights.release import FORMAT_VERSION, HEADER_KEY, checked_header, read_as_stored
from dsct_detrex.weights.writing import write_tensors


def write_calibrated(
    source: str | Path, place: str | Path, thresholds: Sequence[float], calibration: Mapping[str, Any]
) -> None:
    """Write the release ``source`` to ``place``, which may be the same file; an interrupted call leaves the old one.

    Args:
        thresholds: K least probabilities of a shown emotion, in [0, 1], held against calibrated probabilities.
        calibration: JSON types; ``temperature``, above 0, is what ``load_release`` gives to the label set.

    Raises:
        ValueError: not K thresholds in [0, 1], or no temperature above 0.
        UserError: ``source`` is no release.
    """
    path, place = user_path(source), user_path(place)
    metadata, tensors = read_as_stored(path)
    header = checked_header(path, metadata)
    count = len(header["emotions"]["names"])
    if len(thresholds) != count or not all(0 <= value <= 1 for value in thresholds):
        raise ValueError(f"write_calibrated(thresholds=) expects {count} numbers from 0 to 1. Got {thresholds}.")
    if not calibration.get("temperature", 0) > 0:
        raise ValueError(f"write_calibrated(calibration=) expects a temperature above 0. Got {dict(calibration)}.")
    changed = {
        **header,
        "format_version": FORMAT_VERSION,
        "thresholds": [float(value) for value in thresholds],
        "calibration": dict(calibration),
    }
    write_tensors(place, tensors, {**metadata, HEADER_KEY: json.dumps(changed, allow_nan=False)})
