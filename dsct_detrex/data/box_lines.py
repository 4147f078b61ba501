"""Box files made of lines, ``path,label,x1,y1,x2,y2``, as scripts, editors and spreadsheets write them.

Separators are commas, semicolons or tabs. A header line names the columns, in any order and among others; without one
the six fields stand in the order above. Empty lines and lines that begin with ``#`` are passed over. Four blanks as
box, as pandas writes a face that was not found, are read like their other spelling, four times ``nan``.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from dsct_detrex.data.box_formats import BoxFormat
from dsct_detrex.data.fields import number
from dsct_detrex.data.label_names import quoted
from dsct_detrex.data.text_files import read_text
from dsct_detrex.errors import UserError

EXPECTED = "path,label,x1,y1,x2,y2"

_SEPARATORS = {"\t": "tabs", ";": "semicolons", ",": "commas"}
MADE_BY = "made by: "
"""How the comment in the first line begins that says what made the boxes, where no person did."""

_FIELDS = 6
_PICTURE = re.compile(r".*\.(png|jpe?g|bmp|webp|tiff?|gif)", re.IGNORECASE)

_BLANK = frozenset(("", "none", "null", "na", "n/a"))
"""How spreadsheets and scripts write that there is no value, besides ``nan``."""

_COLUMNS = {
    "path": "path imagepath imgpath filepath file filename imgfile imagefile image img imagename imgname imageid "
    "name frame picture",
    "label": "label emotion class category target expression labelid emotionid classid categoryid classname "
    "emotionname emotionlabel labelname categoryname gt",
    "left": "x1 xmin left minx bboxx1 facex1 bboxxmin x",
    "top": "y1 ymin top miny bboxy1 facey1 bboxymin y",
    "right": "x2 xmax right maxx bboxx2 facex2 bboxxmax",
    "bottom": "y2 ymax bottom maxy bboxy2 facey2 bboxymax",
    "width": "w width boxwidth bboxwidth bboxw facewidth facew",
    "height": "h height boxheight bboxheight bboxh faceheight faceh",
}
"""Column -> how headers call it, lower case without punctuation."""
_MEANING = {word: column for column, words in _COLUMNS.items() for word in words.split()}
_FROM_ZERO = {"x0": "left", "y0": "top", "x1": "right", "y1": "bottom"}
"""Corners counted from 0, where a header has ``x0``."""


class Line(NamedTuple):
    """One line of a box file.

    Attributes:
        where: the file and the line's number, for messages.
        path, label: as they stand there.
        box: four numbers, whatever they mean.
    """

    where: str
    path: str
    label: str
    box: list[float]


def read_lines(source: Path) -> tuple[list[Line], BoxFormat]:
    """All lines of a box file, and the form of their boxes: ``xyxy``, or ``xywh`` where the header names a width.

    Raises:
        UserError: not such a file; names the line.
    """
    numbered = [(at, text) for at, text in enumerate(read_text(source).split("\n"), start=1) if _says_something(text)]
    separator = _separator(source, [text for _, text in numbered])
    rows = [(f"{source}, line {at}", _split(text, separator, f"{source}, line {at}")) for at, text in numbered]
    header = _header(*rows[0]) if rows and _is_header(rows[0][1]) else None
    if header is None:
        return [_line(where, *_six(where, row, separator)) for where, row in rows], "xyxy"
    form: BoxFormat = "xyxy" if "right" in header else "xywh"
    lines = [(where, row) for where, row in rows if row != rows[0][1]]  # files put together repeat their header
    return list(_by_header(lines, header, form)), form


def made_by(source: Path) -> str | None:
    """What made the boxes of a file of lines, as its first line says; None where it says nothing.

    Raises:
        UserError: the file cannot be read as text.
    """
    said = re.match(rf"#\s*{MADE_BY}(.*\S)", read_text(source))
    return said[1] if said else None


def _says_something(text: str) -> bool:
    return bool(text.strip(" \t,;")) and not text.lstrip().startswith(("#", "sep="))


def _split(text: str, separator: str, where: str) -> list[str]:
    """The fields of a line without blanks around them; quoted ones may hold the separator."""
    try:
        return [
            field.strip() for field in next(csv.reader([text], delimiter=separator, skipinitialspace=True, strict=True))
        ]
    except csv.Error as error:
        raise UserError(f"{where}: its quotation marks do not pair up ({error}). Expected {EXPECTED}.") from error


def _separator(source: Path, lines: Sequence[str]) -> str:
    """The separator that gives most lines enough fields."""

    def fit(separator: str) -> int:
        return sum(line.count(separator) >= _FIELDS - 1 for line in lines)

    best = max(_SEPARATORS, key=fit)
    if fit(best):
        return best
    if any(len(line.split()) >= _FIELDS and line.count(",") == 0 for line in lines):
        raise UserError(f"{source} separates its fields by spaces, which paths may hold too. Use commas: {EXPECTED}.")
    return ","


def _is_header(row: Sequence[str]) -> bool:
    """No number in it and no picture, but the name of a column."""
    values = any(number(field) is not None or _PICTURE.fullmatch(field) for field in row if field)
    return not values and any(_folded(field) in _MEANING for field in row)


def _folded(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _header(where: str, row: Sequence[str]) -> dict[str, int]:
    """Column -> its position."""
    folded = [_folded(field) for field in row]
    from_zero = _FROM_ZERO if "x0" in folded else {}
    columns: dict[str, int] = {}
    for position, name in enumerate(folded):
        column = from_zero.get(name, _MEANING.get(name))
        if column is None:
            continue
        if column in columns:
            raise UserError(
                f"{where}: the columns {quoted([row[columns[column]], row[position]])} may both be the {column}. "
                f"Leave one of them, expected {EXPECTED}."
            )
        columns[column] = position
    ends = ("width", "height") if "width" in columns and "right" not in columns else ("right", "bottom")
    absent = [column for column in ("path", "label", "left", "top", *ends) if column not in columns]
    if absent:
        raise UserError(
            f"{where}: no column for {', '.join(absent)} among {quoted(row, most=20)}. Expected {EXPECTED}."
        )
    return columns


def _by_header(rows: Sequence[tuple[str, list[str]]], header: dict[str, int], form: BoxFormat) -> Iterator[Line]:
    ends = ("right", "bottom") if form == "xyxy" else ("width", "height")
    positions = [header[column] for column in ("path", "label", "left", "top", *ends)]
    for where, row in rows:
        if len(row) <= max(positions):
            raise UserError(f"{where}: {len(row)} fields. Expected {max(positions) + 1} or more, as in the header.")
        yield _line(where, *(row[position] for position in positions))


def _six(where: str, row: list[str], separator: str) -> list[str]:
    """The six fields of a line without header; a path with commas is put together again."""
    while len(row) > _FIELDS and not row[-1]:
        row = row[:-1]
    extra = row[: 1 - _FIELDS]
    path = f"{separator} ".join(extra)
    comma_in_path = separator == "," and _PICTURE.fullmatch(path) and not any(map(_PICTURE.fullmatch, extra[:-1]))
    if len(row) == _FIELDS or (len(row) > _FIELDS and comma_in_path and number(extra[0]) is None):
        return [path, *row[1 - _FIELDS :]]
    remedy = (
        " Name the columns in a header line, then further ones are passed over"
        if len(row) > _FIELDS
        else (f" Separate the fields by {', '.join(_SEPARATORS.values())}")
    )
    raise UserError(f"{where}: {len(row)} fields. Expected {EXPECTED}.{remedy}.")


def _line(where: str, path: str, label: str, *sides: str) -> Line:
    if all(side.lower() in _BLANK for side in sides):
        return Line(where, path, label, [math.nan] * len(sides))
    box = [number(side) for side in sides]
    odd = [side for side, value in zip(sides, box) if value is None]
    if odd:
        comma = " (write a decimal point, not a comma)" if re.fullmatch(r"-?\d+,\d+", odd[0]) else ""
        raise UserError(f"{where}: {odd[0]!r} is not a number{comma}. Expected {EXPECTED}.")
    return Line(where, path, label, [side for side in box if side is not None])
