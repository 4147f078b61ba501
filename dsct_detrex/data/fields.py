"""One entry of an annotation file, read field by field: the right type, or one sentence about the field.

Other tools write the same field in other ways: numbers as text (``"30"``) or as floats without a fraction (``512.0``),
flags as 0/1, true/false, ``"0"`` or null. Those mean what they say and are read. What could mean something else
(fractions where a whole number is due, ``007`` as a number, a box of five numbers) is refused.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from typing import Any, NoReturn

from dsct_detrex.errors import UserError

Identifier = int | str
"""An id of an annotation file. Text stays text, so ``"007"`` and ``"1_23"`` are ids of their own; only ``"7"`` is 7."""

_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_WHOLE = re.compile(r"-?(0|[1-9][0-9]*)(\.0*)?")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?(nan|inf|infinity)", re.IGNORECASE)
_FLAGS = {0: False, 1: True, "0": False, "1": True, "false": False, "true": True, "no": False, "yes": True}
_TOO_LARGE = 2**63  # no pixel of a picture, and a float might not hold it
_SHOWN = 60  # characters of a value in a message


class Entry:
    """One object of an annotation file.

    Args:
        content: what stands in the file; checked to be an object.
        file: the annotation file, for messages.
        kind: ``"image"`` or ``"annotation"``.
        number: its place in the list, from 1; messages name it where the entry has no id.

    Attributes:
        where: how messages call the entry, e.g. ``"boxes.json, annotation 3"``.

    Raises:
        UserError: not an object. So do all methods for fields that are not what they should be.
    """

    def __init__(self, content: object, file: object, kind: str, number: int) -> None:
        self.where = f"{file}, {kind} number {number}"
        if not isinstance(content, dict):
            self._refuse(f" expects an object with fields in braces. Got {shown(content)}")
        self._content: dict[str, Any] = content
        if "id" in content:
            self.where = f"{file}, {kind} {shown(content['id'])}"

    def __contains__(self, name: str) -> bool:
        return name in self._content

    def fields(self) -> list[str]:
        """The names of its fields."""
        return list(self._content)

    def __getitem__(self, name: str) -> Any:
        """A field as it stands in the file; None where it is absent."""
        return self._content.get(name)

    def wrong(self, name: str, expected: str) -> NoReturn:
        """Refuse a field: ``expected`` says what it should be."""
        if name not in self._content:
            self._refuse(f" has no {name!r}, expected {expected}. Its fields are: {', '.join(self._content) or 'none'}")
        self._refuse(f": {name!r} expects {expected}. Got {shown(self._content[name])}")

    def identifier(self, name: str) -> Identifier:
        """An id: a whole number, or text that is kept as it is."""
        found = identifier(self[name])
        if found is None:
            self.wrong(name, "a whole number or a text as id")
        return found

    def whole(self, name: str, expected: str = "a whole number") -> int:
        """A whole number, also as text or as a float without a fraction."""
        number = whole_number(self[name])
        if number is None:
            self.wrong(name, expected)
        return number

    def flag(self, name: str) -> bool:
        """A yes or no; absent and null are no."""
        value = self[name]
        if value is None:
            return False
        key = value.strip().lower() if isinstance(value, str) else value
        if not isinstance(key, int | float | str) or key not in _FLAGS:
            self.wrong(name, "0 or 1, true or false")
        return _FLAGS[key]

    def text(self, name: str, expected: str) -> str:
        """A text that is not empty."""
        value = self[name]
        if not isinstance(value, str) or not value.strip():
            self.wrong(name, expected)
        return value

    def side(self, name: str) -> int:
        """A side of a picture in pixels; 0 where the file does not know it (absent, null or 0)."""
        value = self[name]
        number = 0 if value is None else whole_number(value)
        if number is None or number < 0:
            self.wrong(name, "the picture's size in whole pixels")
        return number

    def box(self, name: str) -> list[float]:
        """Four numbers, whatever they mean; NaN and infinity are let through."""
        expected = "a box of four numbers, x, y, width and height"
        value = self[name]
        if not isinstance(value, list) or len(value) != 4:
            self.wrong(name, expected)
        sides = [number(side) for side in value]
        if None in sides:
            self.wrong(name, expected)
        return [side for side in sides if side is not None]

    def _refuse(self, sentence: str) -> NoReturn:
        raise UserError(f"{self.where}{sentence}.")


def entries(content: object, key: str, file: object, kind: str) -> Iterable[Entry]:
    """The entries of a list of an annotation file, one after the other.

    Raises:
        UserError: there is no such list.
    """
    if not isinstance(content, dict):
        raise UserError(
            f"{file} expects a COCO-style object with 'images' and 'annotations'. Got {described(content)}."
        )
    found = content.get(key)
    if not isinstance(found, list):
        got = f"Got {described(found)} there" if key in content else f"Its keys are: {', '.join(content) or 'none'}"
        raise UserError(f"{file} expects a COCO-style list under {key!r}. {got}.")
    return (Entry(each, file, kind, number) for number, each in enumerate(found, start=1))


def identifier(value: object) -> Identifier | None:
    """``value`` as an id, or None: a whole number, or any other text that is not empty, as it is."""
    if isinstance(value, str) and not _INTEGER.fullmatch(value):
        return value if value.strip() else None
    return whole_number(value)


def whole_number(value: object) -> int | None:
    """``value`` as a whole number, or None: ``512``, ``512.0``, ``"512"`` are, ``512.5``, ``"007"``, true are not."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        return int(value.strip().partition(".")[0])
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        return int(value)
    return value if isinstance(value, int) else None


def number(value: object) -> float | None:
    """``value`` as a number, or None; text is read where it is plainly a number."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return float(value) if _NUMBER.fullmatch(value.strip()) else None
    if isinstance(value, int):
        return float(value) if abs(value) < _TOO_LARGE else None
    return value if isinstance(value, float) else None


def shown(value: object) -> str:
    """A value of a file for a message: as the file writes it, shortened."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def described(value: object) -> str:
    """The kind of a value of a JSON file, in words."""
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")
