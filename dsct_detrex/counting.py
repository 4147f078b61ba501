"""A number with its noun, in the singular where it is one: ``1 image``, ``1,200 people``."""

from __future__ import annotations

_PLURALS = {"batch": "batches", "person": "people", "time": "times", "box": "boxes", "process": "processes"}


def counted(number: int, noun: str) -> str:
    """``1 step``, ``1,200 steps``, ``0 people``.

    Args:
        noun: in the singular; words before the last stay as they are.
    """
    first, _, last = noun.rpartition(" ")
    many = f"{first} {_PLURALS.get(last, f'{last}s')}".strip()
    return f"{number:,} {noun if number == 1 else many}"
