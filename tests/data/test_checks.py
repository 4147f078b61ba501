"""The policy for bad data, line by line of its table."""

from __future__ import annotations

import io
import json
import math

import pytest
from rich.console import Console

from dsct_detrex.data.checks import FINDINGS, DataReport, check_on_error, usable_people, usable_records
from dsct_detrex.data.dataset import Annotation, Record
from dsct_detrex.errors import UserError


def person(*box: float, labels: tuple[int, ...] = (0,)) -> Annotation:
    return {"bbox": list(box), "labels": list(labels)}


@pytest.mark.parametrize(
    ("found", "kept_box", "finding"),
    [
        (person(0, 0, 10, 8), [0, 0, 10, 8], None),
        (person(1.5, 2, 3, 4), [1.5, 2, 3, 4], None),
        (person(-3, -1, 5, 4), [0, 0, 5, 4], "clamped_boxes"),
        (person(2, 3, 11, 9), [2, 3, 10, 8], "clamped_boxes"),
        (person(5, 5, 5, 7), None, "empty_boxes"),
        (person(6, 5, 4, 7), None, "empty_boxes"),
        (person(12, 1, 15, 4), None, "empty_boxes"),
        (person(-5, 1, 0, 4), None, "empty_boxes"),
        (person(1, 1, math.nan, 4), None, "non_finite_boxes"),
        (person(1, 1, math.inf, 4), None, "non_finite_boxes"),
        (person(1, 1, 3, 4, labels=()), None, "unlabelled_people"),
    ],
)
def test_one_person(found: Annotation, kept_box: list[float] | None, finding: str | None) -> None:
    report = DataReport("t")
    kept = usable_people([found], width=10, height=8, report=report, where="a.jpg")
    assert [p["bbox"] for p in kept] == ([] if kept_box is None else [kept_box])
    assert report.counts == ({} if finding is None else {finding: 1})


def test_input_is_left_alone_and_extras_survive() -> None:
    found: Annotation = {"bbox": [-1, 0, 4, 4], "labels": [1], "extra": {"age": "Kid"}}
    kept = usable_people([found], 10, 8, DataReport("t"), "a.jpg")
    assert found["bbox"] == [-1, 0, 4, 4]
    assert kept == [{"bbox": [0, 0, 4, 4], "labels": [1], "extra": {"age": "Kid"}}]


def record(name: str, *people: Annotation) -> Record:
    return {"file_name": name, "image_id": 1, "height": 8, "width": 10, "annotations": list(people)}


def test_images_without_people_are_left_out() -> None:
    report = DataReport("t")
    kept = usable_records([record("a"), record("b", person(1, 1, 2, 2)), record("c", person(3, 3, 3, 3))], report, "f")
    assert [r["file_name"] for r in kept] == ["b"]
    assert report.counts == {"images_without_people": 2, "empty_boxes": 1}
    assert report.examples["images_without_people"] == ["a", "c"]
    assert (report.images, report.people) == (1, 1)


def test_nothing_left_is_an_error_that_says_why() -> None:
    with pytest.raises(UserError) as caught:
        usable_records([record("a", person(3, 3, 3, 3))], DataReport("emotic_val"), "boxes.json")
    assert "emotic_val: no usable image in boxes.json" in str(caught.value)
    assert "box without area inside the image: 1" in str(caught.value)


def test_report_keeps_few_examples_and_is_json() -> None:
    report = DataReport("t", images=2, people=3)
    for number in range(9):
        report.count("clamped_boxes", f"{number}.jpg")
    assert report.counts["clamped_boxes"] == 9
    assert report.examples["clamped_boxes"] == [f"{n}.jpg" for n in range(5)]
    again = json.loads(json.dumps(report.to_dict()))
    assert again == report.to_dict()
    assert again["people"] == 3


def printed(report: DataReport) -> str:
    console = Console(file=io.StringIO(), width=200)
    console.print(report.headline(), report.table())
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_report_prints_every_finding_in_words() -> None:
    report = DataReport("emotic_train", images=12, people=34)
    assert "emotic_train: 12 images, 34 people, nothing to mend" in printed(report)
    for finding in FINDINGS:
        report.count(finding, f"at {finding}")
    text = printed(report)
    assert f"emotic_train: 12 images, 34 people, {len(FINDINGS)} findings" in text
    assert all(wording in text and f"at {finding}" in text for finding, wording in FINDINGS.items())


def test_on_error_is_checked() -> None:
    assert check_on_error("skip", "X") == "skip"
    assert check_on_error("raise", "X") == "raise"
    with pytest.raises(UserError, match=r"X\(on_error=\) expects 'raise' or 'skip'. Got 'warn'"):
        check_on_error("warn", "X")
