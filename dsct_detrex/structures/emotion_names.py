"""What names of emotions may be: texts that stand in tables, files, W&B keys and annotation files without confusion."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from dsct_detrex.errors import UserError

_SET_NAME = re.compile(r"[\w-]{1,60}")
_MOST_LETTERS = 60
_BREAKS = ("Cc", "Cs", "Zl", "Zp")  # Unicode's control characters, half characters and ends of lines


def folded(word: str) -> str:
    """A name without what annotation files write in different ways: case, spaces, ``_``, ``-``, ``/``, backslashes."""
    return re.sub(r"[\s_/\\\-]+", "", unicodedata.normalize("NFC", word)).casefold()


def checked_set_name(name: Any, owner: str) -> str:
    """The name of a label set, which also names files and stands in keys.

    Raises:
        UserError: anything but letters, digits, ``_`` and ``-``; the message names ``owner``, whose argument it is.
    """
    if not isinstance(name, str) or not _SET_NAME.fullmatch(name):
        raise UserError(f"{owner}(name=) expects a name of letters, digits, _ and -, such as my_moods. Got {name!r}.")
    return name


def checked_names(names: Any, owner: str, fewest: int) -> tuple[str, ...]:
    """The names of the categories as plain texts, without blanks around them.

    Args:
        fewest: how many there are at least.

    Raises:
        UserError: no list, an entry that is no text, empty, of several lines or endless, too few, or two that differ
            only in what ``folded`` leaves out; the message names ``owner``, whose argument it is.
    """
    start = f"{owner}(names=) expects"
    if isinstance(names, (str, bytes)) or not isinstance(names, Sequence):
        raise UserError(f"{start} a list of names of emotions. Got {names!r}.")
    seen: dict[str, str] = {}
    for name in names:
        if not isinstance(name, str):
            raise UserError(f"{start} texts. Got {name!r}: put it in quotes, so that YAML reads a text.")
        plain = name.strip()
        key = folded(plain)
        if not key or len(plain) > _MOST_LETTERS or any(unicodedata.category(letter) in _BREAKS for letter in plain):
            raise UserError(f"{start} names of one line, of 1 to {_MOST_LETTERS} letters. Got {name!r}.")
        if key in seen:
            raise UserError(f"{start} different names. Got {seen[key]!r} and {plain!r}, which files cannot tell apart.")
        seen[key] = plain
    found = tuple(seen.values())
    if len(found) < fewest:
        raise UserError(f"{start} at least {fewest} names. Got {len(found)}{f': {found[0]!r}' if found else ''}.")
    return found
