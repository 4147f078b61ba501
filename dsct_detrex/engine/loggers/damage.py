"""A file of measured numbers that a run cannot go on with: a spreadsheet saved it, a second run writes it, ..."""

from __future__ import annotations

from pathlib import Path

from dsct_detrex.errors import UserError


def damaged(path: Path, line: int, expected: str) -> UserError:
    """The sentence about the first line that is none of this run's.

    Args:
        line: from 1.
        expected: what such a line is.
    """
    return UserError(
        f"{path}, line {line}: expected {expected}, as this run wrote it. Something else has changed the file; move it "
        "away and --resume starts a new one (checkpoints are not touched), or repair that line."
    )


def text_of(path: Path) -> str:
    """What a file holds up to its last whole line; a line that was cut short has no end.

    Raises:
        UserError: it is no UTF-8.
    """
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    try:
        return whole.decode("utf-8")
    except UnicodeDecodeError as error:
        raise damaged(path, whole[: error.start].count(b"\n") + 1, "UTF-8 text") from error
