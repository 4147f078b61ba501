"""Values of flags, checked for their range while the command line is read."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable


def share(text: str) -> float:
    """A number from 0 to 1."""
    return _number(float, "a number from 0 to 1", text, 0, 1)


def count(text: str) -> int:
    """A whole number of at least 1."""
    return int(_number(int, "a whole number of at least 1", text, 1, float("inf")))


def whole(text: str) -> int:
    """A whole number of at least 0."""
    return int(_number(int, "a whole number of at least 0", text, 0, float("inf")))


def port(text: str) -> int:
    """The number of a port; 0 for any that is free."""
    return int(_number(int, "a port from 0 to 65535", text, 0, 65535))


def device(text: str) -> str:
    """The name of a device, there or not."""
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", text):
        raise argparse.ArgumentTypeError(f"expects auto, cpu, cuda, cuda:N or mps. Got {text}")
    return text


def _number(kind: Callable[[str], float], expected: str, text: str, low: float, high: float) -> float:
    try:
        value = kind(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:  # NaN fails too
        raise argparse.ArgumentTypeError(f"expects {expected}. Got {text}")
    return value
