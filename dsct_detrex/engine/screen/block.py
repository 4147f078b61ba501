"""Rows of a label and a value, aligned and no wider than the screen: how a run introduces itself."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

Row = tuple[str, str]
"""Label and value; a value may have several lines, which stand under each other."""

_GAP = 2
_TOGETHER = "\N{NO-BREAK SPACE}"
_NARROWEST = 20  # characters that a value gets on any screen


def block_lines(rows: Sequence[Row], width: int) -> list[Row]:
    """The rows as lines, each the padded label, blank under the first line of its value, and what stands beside it.

    Args:
        width: most characters of a line; only a single word that is longer, such as a path, is left whole.
    """
    room = max((len(label) for label, _ in rows), default=0) + _GAP
    lines: list[Row] = []
    for label, value in rows:
        wrapped = [line for part in value.split("\n") for line in _wrapped(part, max(width - room, _NARROWEST))]
        lines += [(f"{label if i == 0 else '':<{room}}", line) for i, line in enumerate(wrapped)]
    return lines


def sentence_lines(sentence: str, width: int) -> list[str]:
    """A sentence in lines that end between words; those after the first are indented."""
    return _wrapped(sentence, width, indent="  ")


def in_two_lines(words: Iterable[str], width: int) -> str | None:
    """Phrases with commas between them, or None where they need a third line of this width; lines end between them."""
    text = ", ".join(word.replace(" ", _TOGETHER) for word in words)
    return text if len(_wrapped(text, width)) <= 2 else None


def _wrapped(text: str, width: int, indent: str = "") -> list[str]:
    lines = textwrap.wrap(text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return [line.replace(_TOGETHER, " ") for line in lines] or [""]
