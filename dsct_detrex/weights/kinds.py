"""What the values in a file are, and what they should be, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

NOTHING: Final = type(None)

_WORDS: Final[dict[type, str]] = {
    Mapping: "a mapping",
    dict: "a mapping",
    list: "a list",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    NOTHING: "nothing",
}


def wrong_kind(values: Mapping[Any, Any], kinds: Mapping[str, tuple[type, ...]]) -> str | None:
    """The first of the values that is there and of none of its kinds, as part of a sentence; None where all are right.

    Args:
        values: of a file.
        kinds: name -> what its value may be; a bool is no number.
    """
    for name, allowed in kinds.items():
        value = values.get(name)
        if name in values and (not isinstance(value, allowed) or isinstance(value, bool)):
            expected = " or ".join(_WORDS[kind] for kind in allowed)
            return f"{name!r} should be {expected} and is {_WORDS.get(type(value), f'a {type(value).__name__}')}"
    return None
