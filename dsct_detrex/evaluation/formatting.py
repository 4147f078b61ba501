"""One way to write a number, so that console, report and pictures agree."""

from __future__ import annotations

import math

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


def people_group(group: str) -> str:
    """Group of the by-count table in words: ``"5plus"`` -> ``"5 or more"``."""
    return "5 or more" if group == "5plus" else group
