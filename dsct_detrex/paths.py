"""A path as a user writes it."""

from __future__ import annotations

import os
from pathlib import Path


def user_path(text: str | Path) -> Path:
    """The path with ``~`` and ``~name`` expanded, as a shell would where it sees a path."""
    return Path(os.path.expanduser(text))


def expanded(value: str) -> str:
    """The same for text that may be a path: what does not begin with ``~`` stays as it is."""
    return os.path.expanduser(value) if value.startswith("~") else value
