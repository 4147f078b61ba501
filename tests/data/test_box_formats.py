"""What the numbers of a box are: found out by what would be impossible, for a file as a whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from dsct_detrex.data.box_formats import BoxFormat, boxes_as_xyxy
from dsct_detrex.data.dataset import Annotation, Record
from dsct_detrex.errors import UserError

Box = tuple[float, float, float, float]

UPPER_LEFT = [(float(x), 5.0, 20.0, 30.0) for x in range(0, 60, 10)]
"""Possible as both, were it not for those with x beyond 20."""
HEADS: list[Box] = [(x, 20.0, x + 20, 45.0) for x in (5.0, 20.0, 35.0, 50.0, 65.0, 78.0)]
"""xyxy in 100 x 80: as xywh, half of them leave the picture."""


def read(boxes: list[Box], usual: BoxFormat = "xywh", stated: BoxFormat | None = None) -> list[list[float]]:
    people: list[Annotation] = [{"bbox": list(box), "labels": [0]} for box in boxes]
    record: Record = {"file_name": "a.jpg", "image_id": 1, "height": 80, "width": 100, "annotations": people}
    return [each["bbox"] for each in boxes_as_xyxy([record], Path("boxes.json"), usual, stated)[0]["annotations"]]


def test_sizes_become_corners() -> None:
    assert read(UPPER_LEFT) == [[x, 5, x + 20, 35] for x in range(0, 60, 10)]
    assert read(HEADS, "xyxy") == [list(box) for box in HEADS]
    assert read([]) == []


def test_the_user_may_say_what_they_are() -> None:
    assert read(HEADS, "xywh", "xyxy") == [list(box) for box in HEADS]
    assert read(HEADS, "xywh", "xywh")[0] == [5, 20, 30, 65]


@pytest.mark.parametrize("form", ["xywh", "xyxy"])
@pytest.mark.parametrize("boxes", [[(-5.0, -5.0, 110.0, 90.0)] * 9, [(0.0, 0.0, 120.0, 95.0)] * 9])
def test_close_ups_reach_out_where_the_user_says_the_form(form: BoxFormat, boxes: list[Box]) -> None:
    assert len(read(boxes, stated=form)) == 9
    with pytest.raises(UserError, match=r"9 of 9 boxes leave their picture, .* in another resolution\?"):
        read([(0.0, 0.0, 200.0, 160.0)] * 9, stated=form)


@pytest.mark.parametrize("boxes", [HEADS, HEADS[3:], HEADS * 100, [*HEADS * 20, (90.0, 70.0, 101.0, 80.0)]])
def test_corners_read_as_sizes(boxes: list[Box]) -> None:
    with pytest.raises(UserError, match=r"are x1, y1, x2, y2, not x, y, width, height: .* box_format=xyxy"):
        read(boxes)


def test_sizes_read_as_corners() -> None:
    with pytest.raises(UserError, match=r"are x, y, width, height, not x1, y1, x2, y2: .* box_format=xywh"):
        read(UPPER_LEFT, "xyxy")


@pytest.mark.parametrize(
    "boxes",
    [
        [(-3.0, 2.0, 30.0, 40.0), (80.0, 5.0, 21.0, 20.0)],
        [(5.0, 5.0, 96.0, 74.0)],
        [*UPPER_LEFT, (60.0, 10.0, 90.0, 50.0)],
    ],
)
def test_a_box_over_the_edge_is_no_other_form(boxes: list[Box]) -> None:
    assert len(read(boxes)) == len(boxes)


def test_one_inverted_box_among_many_is_left_to_the_policy() -> None:
    boxes: list[Box] = [*HEADS, (60.0, 20.0, 30.0, 45.0)]
    assert len(read(boxes, "xyxy")) == 7


@pytest.mark.parametrize(
    "boxes",
    [[(0.1, 0.2, 0.3, 0.4)], [(0.0, 0.0, 1.0, 1.0)], [*UPPER_LEFT, (0.1, 0.2, 0.3, 0.4)], [(0.1, 0.2, 0.9, 0.4)] * 9],
)
def test_fractions_of_the_picture(boxes: list[Box]) -> None:
    with pytest.raises(UserError, match=r"boxes are fractions of the picture, e\.g\. .* in 100 x 80 pixels"):
        read(boxes)


def test_per_cent_of_the_picture() -> None:
    people: list[Annotation] = [{"bbox": [x, 20, 30, 70], "labels": [0]} for x in range(0, 70, 7)]
    record: Record = {"file_name": "a.jpg", "image_id": 1, "height": 480, "width": 640, "annotations": people}
    with pytest.raises(
        UserError, match=r"all 10 boxes lie within 0 to 100, .* If they are pixels, say box_format=xywh"
    ):
        boxes_as_xyxy([record], Path("boxes.json"), "xywh", None)
    people[0]["bbox"] = [10, 20, 200, 300]
    assert len(boxes_as_xyxy([record], Path("boxes.json"), "xywh", None)[0]["annotations"]) == 10
    people.pop(0)
    assert len(boxes_as_xyxy([record], Path("boxes.json"), "xywh", None)[0]["annotations"]) == 9


def test_a_box_of_one_pixel_is_no_fraction() -> None:
    assert read([*UPPER_LEFT, (0.0, 0.0, 1.0, 1.0)])[-1] == [0, 0, 1, 1]


def test_negative_sizes_and_boxes_of_another_resolution() -> None:
    with pytest.raises(UserError, match=r"2 of 2 boxes have a negative size, e\.g\. \[50, 50, -20, -10\]"):
        read([(50.0, 50.0, -20.0, -10.0)] * 2)
    with pytest.raises(UserError, match=r"5 of 5 boxes leave their picture, .* in another resolution\?"):
        read([(300.0, 200.0, 80.0, 90.0)] * 5)


def test_nan_says_nothing_about_the_form() -> None:
    assert len(read([(float("nan"), 1.0, 2.0, 3.0), *UPPER_LEFT])) == 7


def test_the_area_of_the_file_tells() -> None:
    people: list[Annotation] = [{"bbox": [10, 10, 30, 20], "labels": [0], "area": 200.0}]
    record: Record = {"file_name": "a.jpg", "image_id": 1, "height": 80, "width": 100, "annotations": people}
    with pytest.raises(UserError, match="1 of 1 contradict their area"):
        boxes_as_xyxy([record], Path("boxes.json"), "xywh", None)
    people[0]["area"] = 600.0
    assert boxes_as_xyxy([record], Path("boxes.json"), "xywh", None)[0]["annotations"] == [
        {"bbox": [10, 10, 40, 30], "labels": [0]}
    ]


def test_a_box_whose_area_fits_is_no_other_form_wherever_it_reaches() -> None:
    people: list[Annotation] = [{"bbox": [10, 8, 98, 78], "labels": [0], "area": 98.0 * 78}]
    record: Record = {"file_name": "a.jpg", "image_id": 1, "height": 80, "width": 100, "annotations": people}
    assert boxes_as_xyxy([record], Path("boxes.json"), "xywh", None)[0]["annotations"][0]["bbox"] == [10, 8, 108, 86]
    people[0].pop("area")
    with pytest.raises(UserError, match=r"box_format=xyxy \(.*\), or box_format=xywh where they do reach out"):
        boxes_as_xyxy([record], Path("boxes.json"), "xywh", None)
