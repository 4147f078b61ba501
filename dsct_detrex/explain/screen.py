"""The tables on a terminal of 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from dsct_detrex.explain.changes import CAUSES
from dsct_detrex.explain.words import CHANGES, SHARES, Cells, change_rows, share_rows

WIDTH = 80
_NAME = 16
_GROUPS = ("own object", "others' objects", "own person", "other people", "place", "weather", "light", "nothing")
"""As ``groups.GROUPS``, so short that a word fits a column."""


def lines(content: Mapping[str, Any]) -> Iterator[str]:
    """Both tables, without a line end.

    Args:
        content: see ``results.content``.
    """
    checkpoints: Sequence[Mapping[str, Any]] = content["checkpoints"]
    yield from _wrapped(SHARES)
    if any(checkpoint["shares"] for checkpoint in checkpoints):
        yield from _heading(_GROUPS)
    for checkpoint in checkpoints:
        if checkpoint["note"]:
            yield from _wrapped(f"{checkpoint['name']}: {checkpoint['note']}.")
        else:
            yield from _block(checkpoint, share_rows(checkpoint))
    yield ""
    yield from _wrapped(CHANGES)
    yield from _heading(CAUSES)
    for checkpoint in checkpoints:
        yield from _block(checkpoint, change_rows(checkpoint, CAUSES))


def _block(checkpoint: Mapping[str, Any], rows: Iterable[Cells]) -> Iterator[str]:
    found, people = checkpoint["found"], checkpoint["people"]
    yield from _wrapped(
        f"{checkpoint['name']} ({found:,} of {people:,} people found in {checkpoint['images']:,} scenes)"
    )
    for name, cells in rows:
        yield _line(f"  {name}", cells)


def _heading(names: Sequence[str]) -> Iterator[str]:
    """Two lines: first words above last words."""
    split = [name.rpartition(" ") for name in names]
    yield _line("", [first for first, _, _ in split])
    yield _line("", [last for _, _, last in split])


def _line(name: str, cells: Sequence[str]) -> str:
    width = (WIDTH - _NAME) // len(cells)
    return (name.ljust(_NAME) + "".join(cell.rjust(width) for cell in cells)).rstrip()


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH)
