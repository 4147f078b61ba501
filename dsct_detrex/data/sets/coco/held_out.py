"""A share of the training pictures kept for validation, where a labelling tool exports everything in one file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dsct_detrex.data.dataset import Record
from dsct_detrex.errors import UserError

_RUNS = 10


def check_share(share: float | None, owner: str) -> float | None:
    """``share`` if it is one, or None for none.

    Raises:
        UserError: it is no number above 0 and below 1; the message names ``owner``, whose argument it is.
    """
    if share is None or (isinstance(share, float) and 0 < share < 1):
        return share
    raise UserError(f"{owner}(held_out=) expects a share of the pictures above 0 and below 1, or null. Got {share!r}.")


def part_of(records: Sequence[Record], split: str, share: float, source: Path) -> list[Record]:
    """The pictures of ``train`` or ``val``, in the order of the file.

    The file is cut into ten runs, and the end of each is kept for val: neighbours are often frames of one clip, so
    runs share fewer with the rest than pictures drawn by lot would, and a file sorted by emotion gives some of each.

    Args:
        records: all pictures of the file.
        split: ``train`` or ``val``.
        share: of the pictures that is kept for val, above 0 and below 1.

    Raises:
        UserError: there are too few pictures for that share.
    """
    count = len(records)
    kept = round(count * share)
    if not 0 < kept < count:
        raise UserError(f"{source} has {count} pictures, which held_out={share:g} cannot divide into train and val.")
    runs = min(_RUNS, kept)
    return [
        record for place, record in enumerate(records) if ((place * runs) % count >= count - kept) == (split == "val")
    ]
