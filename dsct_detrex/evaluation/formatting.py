"""One way to write a number, so that console, report and pictures agree."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from dsct_detrex.counting import counted

MISSING = "–"
"""Stands where a value has no meaning: no person in the group, no positive of the class."""


def percent(fraction: float | None, digits: int = 1) -> str:
    """0.7134 -> ``"71.3 %"``; None and NaN -> an en dash."""
    if fraction is None or math.isnan(fraction):
        return MISSING
    return f"{100 * fraction:.{digits}f} %"


def whole(number: float) -> str:
    """12345 -> ``"12,345"``."""
    return f"{number:,.0f}"


def between(interval: Sequence[float | None] | None, digits: int = 1) -> str:
    """(0.6912, 0.7401) -> ``"69.1 to 74.0 %"``; an en dash where there is none."""
    low, high = interval or (None, None)
    if low is None or high is None:
        return MISSING
    return f"{100 * low:.{digits}f} to {percent(high, digits)}"


def people_group(group: str) -> str:
    """Group of the by-count table in words: ``"5plus"`` -> ``"5 or more"``."""
    return "5 or more" if group == "5plus" else group


def metric_word(name: str) -> str:
    """How a sentence calls a metric: ``"acc"`` -> ``"accuracy"``."""
    return {"acc": "accuracy", "acc_any": "accuracy, any annotated emotion"}.get(name, name)


def measured_on(report: Mapping[str, Any]) -> str:
    """What a report's numbers stand on: ``"EMOTIC, val split: 5 people in 2 of 4 images, head boxes from ..."``."""
    dataset, counts = report["dataset"], report["counts"]
    split = f", {dataset['split']} split" if dataset.get("split") else ""
    images = dataset.get("coverage") or counted(counts["images"], "image")
    parts = [f"{counted(counts['people'], 'person')} in {images}", dataset["description"]]
    return f"{dataset['name'] or report['emotions']['name']}{split}: {', '.join(filter(None, parts))}"


def on_part(report: Mapping[str, Any]) -> str:
    """`` (2 of 4 images)`` for wherever a number of a part appears, else nothing."""
    coverage = report["dataset"].get("coverage")
    return f" ({coverage})" if coverage else ""


def millions(count: int) -> str:
    """4_000_000 -> ``"4.0 M"``; 75_000 -> ``"75 k"``; 264 -> ``"264"``."""
    if count < 1000:
        return str(count)
    return f"{count / 1e6:.1f} M" if count >= 1e6 else f"{count / 1e3:.0f} k"


def duration(seconds: float) -> str:
    """75 -> ``"1 min 15 s"``; hours once they are needed."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if minutes else f"{rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
