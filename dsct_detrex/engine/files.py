"""Files that are either the old version or the complete new one, whatever happens while they are written."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from dsct_detrex.errors import UserError


def write_atomically(path: Path, write: Callable[[Path], None], keep_previous: Path | None = None) -> None:
    """Write a file through a temporary one beside it.

    Args:
        write: writes the content to the path it is given; the name has the suffix of ``path``.
        keep_previous: where the version replaced goes; None drops it.

    Raises:
        UserError: the disk is full or refuses; ``path`` is as it was.
    """
    temporary = path.with_name(f".{path.stem}.writing{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        if keep_previous is not None and path.exists():
            os.replace(path, keep_previous)
        os.replace(temporary, path)
    except (OSError, RuntimeError) as error:  # torch reports a failed write as RuntimeError
        with suppress(OSError):  # such as a file in the place of the folder
            temporary.unlink()
        raise UserError(
            f"Writing {path} failed ({error}); what was there before is intact. "
            "Free some space or choose another train.output_dir, then continue with --resume."
        ) from error


def write_json(path: Path, content: Any) -> None:
    """Write plain values as indented JSON; NaN and infinity become null, which every JSON reader takes."""
    text = json.dumps(_finite(content), indent=1, ensure_ascii=False) + "\n"
    write_text(path, text)


def write_text(path: Path, text: str) -> None:
    """Write text as UTF-8, atomically."""

    def write(temporary: Path) -> None:
        temporary.write_text(text, encoding="utf-8")

    write_atomically(path, write)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value
