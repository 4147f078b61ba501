"""A user's COCO-style files read as boxes of things: all categories are classes, "person" like any other."""

from __future__ import annotations

from pathlib import Path

import pytest

from dsct_detrex.data.sets.coco.objects import CocoObjects, classes_of_files
from dsct_detrex.errors import UserError
from dsct_detrex.structures import ObjectClasses

from .test_coco_files import content, write

TOYS = [{"id": 7, "name": "person"}, {"id": 3, "name": "kite"}, {"id": 90, "name": "ball"}]
SHOWN = [{"category_id": 3}, {"category_id": 7}]


@pytest.fixture
def toys(tmp_path: Path) -> Path:
    for split in ("train", "val"):
        write(tmp_path / "toys", f"annotations/instances_{split}2017.json", f"{split}2017/a.jpg", content(SHOWN, TOYS))
    return tmp_path / "toys"


def test_categories_are_classes_in_the_order_of_the_file(toys: Path) -> None:
    classes = classes_of_files(str(toys))
    assert classes == ObjectClasses("toys", ("person", "kite", "ball"))
    assert classes.origin == "3 classes of instances_train2017.json ('person', 'kite', 'ball')"
    dataset = CocoObjects(str(toys), "val")
    assert dataset.emotions == classes
    record = dataset.record(0)
    assert [one["labels"] for one in record["annotations"]] == [[1], [0]]
    assert record["annotations"][0]["bbox"] == [5.0, 6.0, 25.0, 36.0]
    assert dataset.name == "toys_val"


def test_some_classes_in_another_order(toys: Path) -> None:
    stated = classes_of_files(str(toys), names=["kite", "person"], name="mine")
    assert (stated.name, stated.names) == ("mine", ("kite", "person"))
    assert [one["labels"] for one in CocoObjects(str(toys), "val", stated).record(0)["annotations"]] == [[0], [1]]


def test_a_class_that_is_annotated_and_not_stated_is_refused(toys: Path) -> None:
    with pytest.raises(UserError, match=r"says in 'categories' that its labels are 'kite', which are not"):
        CocoObjects(str(toys), "val", classes_of_files(str(toys), names=["ball", "person"]))


def test_files_that_name_no_classes_are_refused(tmp_path: Path) -> None:
    write(tmp_path / "bare", "train.json", "train/a.jpg", content(SHOWN))
    with pytest.raises(UserError, match=r"train\.json has no 'categories', which say what its numbers mean\. List"):
        classes_of_files(str(tmp_path / "bare"))
    with pytest.raises(UserError, match=r"coco: no annotations for train in"):
        classes_of_files(str(tmp_path))
