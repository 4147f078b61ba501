"""What an argument means: the ``Args:`` and ``Attributes:`` sections of docstrings, as data."""

from __future__ import annotations

import inspect
import re
from typing import Any

_ENTRY = re.compile(r"^(?P<names>\w+(?:, \w+)*):\s+(?P<text>.+)$")
_SECTIONS = ("Args:", "Attributes:")


def meanings(target: Any) -> dict[str, str]:
    """Argument -> what the docstring of a function or class says of it; a class also knows what its bases say.

    Args:
        target: a function, or a class whose docstring speaks of its constructor.
    """
    bases = [kind for kind in reversed(inspect.getmro(target)) if kind is not object] if inspect.isclass(target) else []
    found: dict[str, str] = {}
    for one in bases or [target]:
        found |= _of_text(one.__dict__.get("__doc__") or "" if bases else inspect.getdoc(one) or "")
    return found


def _of_text(docstring: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for lines in _section_lines(inspect.cleandoc(docstring)):
        for entry in _entries(lines):
            match = _ENTRY.match(entry)
            if match:
                found |= dict.fromkeys(match["names"].split(", "), match["text"])
    return found


def _section_lines(docstring: str) -> list[list[str]]:
    """The indented lines below every heading of ``_SECTIONS``."""
    found: list[list[str]] = []
    inside = False
    for line in docstring.splitlines():
        if not line.startswith(" ") and line:
            inside = line.strip() in _SECTIONS
            if inside:
                found.append([])
        elif inside and line.strip():
            found[-1].append(line[4:])
    return found


def _entries(lines: list[str]) -> list[str]:
    """Lines of a section joined so that each is one argument; continuation lines are indented."""
    joined: list[str] = []
    for line in lines:
        if line.startswith(" ") and joined:
            joined[-1] += f" {line.strip()}"
        else:
            joined.append(line.strip())
    return joined
