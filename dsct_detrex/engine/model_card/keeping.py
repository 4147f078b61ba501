"""Cards on the disk: the last line of a generated one says so, and by it one that somebody edited is known and kept."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Final

from dsct_detrex.files import write_whole

_MARK: Final = "<!-- dsct_detrex wrote this card ({}). A card that was edited is kept. -->\n"
_MARKED: Final = re.compile(re.escape(_MARK).replace(r"\{\}", "([0-9a-f]{16})") + r"\Z")


def card_path(release: Path) -> Path:
    """Where the card of a release lies: ``best.md`` beside ``best.safetensors``."""
    return release.with_suffix(".md")


def is_edited(path: Path) -> bool:
    """Whether there is a file that is not, to the letter, one of ours."""
    if not path.exists():
        return False
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return True
    found = _MARKED.search(text)
    return found is None or _fingerprint(text[: found.start()]) != found.group(1)


def keep_or_write(path: Path, text: str) -> bool:
    """Write a card, whole or not at all, unless somebody edited the one that is there; whether it was written."""
    if is_edited(path):
        return False
    write_whole(path, text + _MARK.format(_fingerprint(text)))
    return True


def remove_card(release: Path) -> None:
    """Remove the card of a release that goes, unless somebody edited it."""
    path = card_path(release)
    if not is_edited(path):
        path.unlink(missing_ok=True)


def _fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
