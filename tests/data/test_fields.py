"""Fields as exporters write them: read where they mean one thing, refused in one sentence where they do not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dsct_detrex.data.fields import Entry, entries, identifier, number, whole_number
from dsct_detrex.errors import UserError


def entry(**fields: Any) -> Entry:
    return Entry({"id": 3, **fields}, "boxes.json", "annotation", 1)


@pytest.mark.parametrize(
    ("value", "found"),
    [(7, 7), (7.0, 7), ("7", 7), (-2, -2), ("007", "007"), ("1_23", "1_23"), ("7.0", "7.0"), ("9f-a", "9f-a"),
     (" 7", " 7"), (1.5, None), (True, None), (None, None), ("", None), ("  ", None), ([1], None),
     (float("nan"), None)],
)  # fmt: skip
def test_ids_stay_what_they_are(value: Any, found: int | str | None) -> None:
    assert identifier(value) == found


@pytest.mark.parametrize(
    ("value", "found"),
    [(512, 512), (512.0, 512), ("512", 512), ("512.0", 512), (" 5 ", 5), ("-1", -1), ("0", 0), ("007", None),
     ("1_0", None), (512.5, None), ("5e2", None), (True, None), (None, None), ([5], None), (float("inf"), None),
     ("٣", None)],
)  # fmt: skip
def test_whole_numbers(value: Any, found: int | None) -> None:
    assert whole_number(value) == found


@pytest.mark.parametrize(
    ("value", "found"),
    [(3, 3.0), ("30", 30.0), ("3.5", 3.5), (" 1e2 ", 100.0), ("-.5", -0.5), ("inf", float("inf")), (True, None),
     (None, None), ("a", None), ("1_0", None), ("", None), (10**400, None)],
)  # fmt: skip
def test_numbers(value: Any, found: float | None) -> None:
    assert number(value) == found


@pytest.mark.parametrize("value", [0, 0.0, False, None, "0", "false", "False", "no"])
def test_no(value: Any) -> None:
    assert entry(iscrowd=value).flag("iscrowd") is False
    assert entry().flag("iscrowd") is False


@pytest.mark.parametrize("value", [1, 1.0, True, "1", "true", "TRUE"])
def test_yes(value: Any) -> None:
    assert entry(iscrowd=value).flag("iscrowd") is True


REFUSED: list[tuple[Callable[[Entry], object], Any, str]] = [
    (lambda e: e.flag("x"), 2, "'x' expects 0 or 1, true or false. Got 2."),
    (lambda e: e.flag("x"), "maybe", "'x' expects 0 or 1, true or false. Got \"maybe\"."),
    (lambda e: e.flag("x"), [], "'x' expects 0 or 1, true or false. Got []."),
    (lambda e: e.box("x"), None, "'x' expects a box of four numbers, x, y, width and height. Got null."),
    (lambda e: e.box("x"), [], "Got []."),
    (lambda e: e.box("x"), [1, 2, 3, 4, 0.9], "Got [1, 2, 3, 4, 0.9]."),
    (lambda e: e.box("x"), [1, 2, 3, None], "Got [1, 2, 3, null]."),
    (lambda e: e.box("x"), {"x": 1}, 'Got {"x": 1}.'),
    (lambda e: e.box("x"), "1,2,3,4", 'Got "1,2,3,4".'),
    (lambda e: e.side("x"), 1.5, "'x' expects the picture's size in whole pixels. Got 1.5."),
    (lambda e: e.side("x"), -4, "Got -4."),
    (lambda e: e.text("x", "a name"), 5, "'x' expects a name. Got 5."),
    (lambda e: e.text("x", "a name"), " ", "'x' expects a name."),
    (lambda e: e.whole("x"), "007", "'x' expects a whole number. Got \"007\"."),
    (lambda e: e.identifier("x"), 1.5, "'x' expects a whole number or a text as id. Got 1.5."),
]


@pytest.mark.parametrize(("read", "value", "sentence"), REFUSED)
def test_what_is_refused(read: Callable[[Entry], object], value: Any, sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        read(entry(x=value))
    assert str(caught.value).startswith("boxes.json, annotation 3: 'x' expects")
    assert sentence in str(caught.value)


def test_sizes_that_the_file_does_not_know() -> None:
    assert [entry(width=value).side("width") for value in (None, 0, "0", "192", 192.0)] == [0, 0, 0, 192, 192]
    assert entry().side("width") == 0


def test_absent_fields_list_those_that_are_there() -> None:
    with pytest.raises(UserError, match=r"annotation 3 has no 'bbox', expected a box .* Its fields are: id, area\."):
        entry(area=1).box("bbox")


@pytest.mark.parametrize(("content", "got"), [(None, "null"), ("x", '"x"'), ([1], "[1]"), (3, "3")])
def test_entries_are_objects(content: Any, got: str) -> None:
    with pytest.raises(UserError) as caught:
        list(entries({"images": [content]}, "images", "boxes.json", "image"))
    assert str(caught.value) == f"boxes.json, image number 1 expects an object with fields in braces. Got {got}."


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ([], "with 'images' and 'annotations'. Got a list."),
        (None, "Got null."),
        ({"images": {"1": {}}}, "expects a COCO-style list under 'images'. Got an object there."),
        ({"images": None}, "Got null there."),
        ({"a": 1}, "Its keys are: a."),
    ],
)
def test_lists_of_entries(content: Any, sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        entries(content, "images", "boxes.json", "image")
    assert sentence in str(caught.value)
