"""``label.lst`` of ExpW: one line a face, eight columns separated by blanks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from dsct_detrex.data.fields import number, whole_number
from dsct_detrex.data.label_names import LabelNames
from dsct_detrex.data.text_files import read_text
from dsct_detrex.errors import UserError
from dsct_detrex.structures import MultiClassEmotions

EXPW = MultiClassEmotions("expw", ("Angry", "Disgust", "Fear", "Happy", "Sad", "Surprise", "Neutral"))

_EXPECTED = "image_name face_id top left right bottom confidence label"
_FIELDS = len(_EXPECTED.split())
EXPW_NAMES = LabelNames(EXPW, {"anger": "Angry"})
_KNOWN = ", ".join(f"{index} {name}" for index, name in enumerate(EXPW.names))


class Face(NamedTuple):
    """One line of the list.

    Attributes:
        picture: its name.
        box: xyxy, pixels.
        confidence: of the box.
        label: index into ``EXPW.names``.
    """

    picture: str
    box: list[float]
    confidence: float
    label: int


def read_faces(source: Path) -> Iterator[Face]:
    """All faces of a list; a line is read from its end, since names may hold blanks.

    Raises:
        UserError: not such a list; names the line.
    """
    for at, text in enumerate(read_text(source).split("\n"), start=1):
        if text.strip():
            yield _face(text.strip().rsplit(maxsplit=_FIELDS - 1), f"{source}, line {at}")


def _face(fields: Sequence[str], where: str) -> Face:
    if len(fields) != _FIELDS:
        raise UserError(f"{where}: {len(fields)} fields. Expected {_FIELDS}, separated by blanks: {_EXPECTED}.")
    picture, _, *numbers, word = fields
    values = [number(field) for field in numbers]
    odd = [field for field, value in zip(numbers, values) if value is None]
    if odd:
        raise UserError(f"{where}: {odd[0]!r} is not a number. Expected {_EXPECTED}.")
    top, left, right, bottom, confidence = [value for value in values if value is not None]
    label = EXPW_NAMES.find(word) if whole_number(word) is None else whole_number(word)
    if label is None or not 0 <= label < EXPW.num_emotions:
        raise UserError(f"{where}: label {word!r} is unknown. Expected one of {_KNOWN}.")
    return Face(picture, [left, top, right, bottom], confidence, label)
