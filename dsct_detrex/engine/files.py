"""Files of a run: the old version or the complete new one (``dsct_detrex.files``), and one sentence for a full disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dsct_detrex.errors import UserError
from dsct_detrex.files import replacing


def write_atomically(path: Path, write: Callable[[Path], object], keep_previous: Path | None = None) -> None:
    """Write a file through a temporary one beside it.

    Args:
        write: writes the content to the path it is given; the name has the suffix of ``path``.
        keep_previous: where the version replaced goes; None drops it.

    Raises:
        UserError: the disk is full or refuses; ``path`` is as it was.
    """
    with _said(path), replacing(path, keep_previous) as unfinished:
        write(unfinished)


def write_json(path: Path, content: Any) -> None:
    """Write plain values as indented JSON; NaN and infinity become null, which every JSON reader takes."""
    text = json.dumps(_finite(content), indent=1, ensure_ascii=False) + "\n"
    write_text(path, text)


def write_text(path: Path, text: str) -> None:
    """Write text as UTF-8, atomically."""
    write_atomically(path, lambda unfinished: unfinished.write_text(text, encoding="utf-8"))


@contextmanager
def _said(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError) as error:  # torch reports a failed write as RuntimeError
        raise UserError(
            f"Writing {path} failed ({error}); what was there before is intact. "
            "Free some space or choose another train.output_dir, then continue with --resume."
        ) from error


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value
