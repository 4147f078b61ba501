"""Results are not lost: what stands where a new one goes is kept under a number."""

from __future__ import annotations

from pathlib import Path

from dsct_detrex.files import move_aside


def keep_older(path: Path) -> Path | None:
    """Move a file out of the way: ``evaluation_test.json`` becomes ``evaluation_test_1.json``, the next ``_2``.

    Returns:
        Where it is now; None if there was none.
    """
    if not path.exists():
        return None
    number = 1
    while (kept := path.with_name(f"{path.stem}_{number}{path.suffix}")).exists():
        number += 1
    move_aside(path, kept)
    return kept
