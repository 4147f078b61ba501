"""Boxes as a file writes them -> ``xyxy`` in pixels, once it is certain that they are what the file's form says.

``xywh`` (COCO) and ``xyxy`` (the lines of CAER-S) look alike, so a file in the other form is found by what it makes
impossible: boxes that leave their pictures, or whose right side is left of their left side, while all of them are fine
in the other form. An ``area`` that fits a box says its form, wherever it reaches. Whoever knows better says so with
``box_format``; then only impossible forms are refused.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from dsct_detrex.data.dataset import Annotation, Record
from dsct_detrex.errors import UserError

BoxFormat = Literal["xywh", "xyxy"]

_SLACK = 0.02  # of the picture's side: annotators draw a little over the edge
_REACH = 0.25  # of the picture's side: boxes of close-ups, whose unseen part was estimated, go no further
_SAME_FORM = 0.95  # of the boxes must be fine in the other form
_MANY = 0.25  # of the boxes must be impossible: people in the upper left quarter give no hint
_FEW_PEOPLE = 5
_PER_CENT = 100  # labelling tools export shares of the picture as 0 to 100
_MANY_PEOPLE = 10  # do not all stand in the first 100 pixels of pictures twice that size

_FORMS = {"xywh": "x, y, width, height", "xyxy": "x1, y1, x2, y2"}


class RawBox(NamedTuple):
    """Four numbers of a file and the picture they are in, pixels."""

    sides: tuple[float, float, float, float]
    width: int
    height: int
    area: float | None


def check_box_format(value: str | None, owner: str) -> BoxFormat | None:
    """``value`` if it is a known form of boxes, or None for the usual one of the file.

    Raises:
        UserError: it is not; the message names ``owner``, whose argument it is.
    """
    if value is None:
        return None
    if value == "xywh":
        return "xywh"
    if value == "xyxy":
        return "xyxy"
    raise UserError(f"{owner}(box_format=) expects 'xywh', 'xyxy' or null for the usual one. Got {value!r}.")


def boxes_as_xyxy(records: Sequence[Record], source: Path, usual: BoxFormat, stated: BoxFormat | None) -> list[Record]:
    """Records whose boxes are ``xyxy`` in pixels.

    Args:
        records: sizes known; ``bbox`` the four numbers of the file, ``area`` where the file gives it.
        source: the file, for messages.
        usual: what files of this kind have.
        stated: what the user says they are.

    Raises:
        UserError: the boxes are fractions or per cent of the picture, have negative sizes, or are in another form than
            expected.
    """
    boxes = [
        RawBox((x, y, third, fourth), record["width"], record["height"], person.get("area"))
        for record in records
        for person in record["annotations"]
        for x, y, third, fourth in [person["bbox"]]
        if all(math.isfinite(side) for side in person["bbox"])
    ]
    form = stated or usual
    if boxes:
        _refuse_fractions(boxes, source)
        _refuse_impossible(boxes, source, form, stated)
        if stated is None:
            _refuse_per_cent(boxes, source, form)
    return [{**record, "annotations": [_person(each, form) for each in record["annotations"]]} for record in records]


def _person(person: Annotation, form: BoxFormat) -> Annotation:
    """A person whose box is ``xyxy``, without the area, which was of use only here."""
    x, y, third, fourth = person["bbox"]
    corners = [x, y, third, fourth] if form == "xyxy" else [x, y, x + third, y + fourth]
    described: Annotation = {**person, "bbox": corners}
    described.pop("area", None)
    return described


def _refuse_fractions(boxes: Sequence[RawBox], source: Path) -> None:
    """Sides of at most 1 in a larger picture; a box of one whole pixel is one where the others are not."""
    small = [
        box for box in boxes
        if max(map(abs, box.sides)) <= 1 and min(box.sides[2:]) > 0 and max(box.width, box.height) > 1
    ]  # fmt: skip
    broken = next((box for box in small if any(side != int(side) for side in box.sides)), None)
    if small and (broken is not None or len(small) * 2 > len(boxes)):
        raise UserError(
            f"{source}: {len(small)} of {len(boxes)} boxes are fractions of the picture, e.g. "
            f"{_written(broken or small[0])} in {small[0].width} x {small[0].height} pixels. Expected pixels: multiply "
            "x and width by the picture's width, y and height by its height."
        )


def _refuse_per_cent(boxes: Sequence[RawBox], source: Path, form: BoxFormat) -> None:
    """All boxes within 0 to 100, in pictures of at least twice that."""
    small = all(
        x + width <= _PER_CENT and y + height <= _PER_CENT and min(box.width, box.height) >= 2 * _PER_CENT
        for box in boxes
        for (x, y), (width, height) in [(box.sides[:2], _size(box, form))]
    )
    if small and len(boxes) >= _MANY_PEOPLE:
        raise UserError(
            f"{source}: all {len(boxes)} boxes lie within 0 to 100, e.g. {_written(boxes[0])} in {boxes[0].width} x "
            f"{boxes[0].height} pixels: they look like per cent of the picture. Expected pixels: multiply x and width "
            "by the picture's width / 100, y and height by its height / 100. If they are pixels, say "
            f"box_format={form} (data.box_format in a config, --box-format of dsct data)."
        )


def _refuse_impossible(boxes: Sequence[RawBox], source: Path, form: BoxFormat, stated: BoxFormat | None) -> None:
    other: BoxFormat = "xyxy" if form == "xywh" else "xywh"
    odd = [box for box in boxes if not _possible(box, form) and not _area_tells(box, form, other)]
    far = [box for box in boxes if not _inside(box, form, _REACH)]
    inverted = [box for box in boxes if min(_size(box, form)) < 0]
    fine = sum(_possible(box, other) and min(_size(box, other)) > 0 for box in boxes)
    if stated is None and fine >= _SAME_FORM * len(boxes):
        told = [box for box in boxes if _area_tells(box, other, form)]
        if (odd and len(odd) >= _MANY * len(boxes)) or len(told) * 2 > len(boxes):
            proof = odd or told
            raise UserError(
                f"{source}: the boxes are {_FORMS[other]}, not {_FORMS[form]}: as such {len(proof)} of {len(boxes)} "
                f"{'leave their picture or end before they begin' if odd else 'contradict their area'}, e.g. "
                f"{_written(proof[0])} in {proof[0].width} x {proof[0].height} pixels. Say what they are with "
                f"box_format={other} (data.box_format in a config, --box-format of dsct data), or box_format={form} "
                "where they do reach out."
            )
    if len(inverted) * 2 > len(boxes):
        raise UserError(
            f"{source}: as {_FORMS[form]}, {len(inverted)} of {len(boxes)} boxes have a negative size, e.g. "
            f"{_written(inverted[0])}. Expected boxes from their upper left corner on, in pixels."
        )
    if len(far) * 2 > len(boxes) >= _FEW_PEOPLE:
        raise UserError(
            f"{source}: {len(far)} of {len(boxes)} boxes leave their picture, e.g. {_written(far[0])} in "
            f"{far[0].width} x {far[0].height} pixels. Expected {_FORMS[form]} in pixels of the pictures that are "
            "there: were they drawn in another resolution?"
        )


def _size(box: RawBox, form: BoxFormat) -> tuple[float, float]:
    x, y, third, fourth = box.sides
    return (third, fourth) if form == "xywh" else (third - x, fourth - y)


def _possible(box: RawBox, form: BoxFormat) -> bool:
    """Not inverted, and inside the picture but for a little; ``xyxy`` of no size is ``xywh`` with width = x."""
    smallest = min(_size(box, form))
    return _inside(box, form, _SLACK) and (smallest >= 0 if form == "xywh" else smallest > 0)


def _inside(box: RawBox, form: BoxFormat, slack: float) -> bool:
    """Whether the lower right corner is in the picture, but for a share of its sides."""
    (x, y), (width, height) = box.sides[:2], _size(box, form)
    return x + width <= box.width * (1 + slack) and y + height <= box.height * (1 + slack)


def _area_tells(box: RawBox, form: BoxFormat, other: BoxFormat) -> bool:
    """The area of the file is exactly that of ``form``, and not that of the other."""
    if box.area is None:
        return False
    close = {each: math.isclose(box.area, math.prod(_size(box, each)), rel_tol=1e-3) for each in (form, other)}
    return close[form] and not close[other]


def _written(box: RawBox) -> str:
    return f"[{', '.join(f'{side:g}' for side in box.sides)}]"
