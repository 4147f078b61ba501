"""Readers of data sets on damaged files: a usable data set, or one sentence; the folder stays as it was."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsct_detrex.data import catalogue
from dsct_detrex.data.images import ImageError
from dsct_detrex.data.sets.coco import CocoDataset
from dsct_detrex.data.sets.coco.beside import object_classes_of_files
from dsct_detrex.data.sets.coco.objects import CocoObjects
from tests.reliability.drawing import NUMBERS, PLAIN, TEXTS, cases, changed, damaged, told
from tests.reliability.layouts import LAYOUTS, Layout, coco_content, files_below

Made = dict[str, Path]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """One folder of each layout, whose annotation file each case replaces."""
    folder = tmp_path_factory.mktemp("layouts")
    yield {name: layout.made(folder / str(number)) for number, (name, layout) in enumerate(LAYOUTS.items())}
    shutil.rmtree(folder)


def read(layout: Layout, root: Path, on_error: str) -> None:
    """Read a split and look at all that it holds."""
    dataset = catalogue.get(layout.card).reader(str(root), "train", on_error=on_error, **layout.options)
    look_at(dataset, root)


def look_at(dataset: Any, root: Path) -> None:
    assert len(dataset) == dataset.report.images > 0
    for index in range(len(dataset)):
        record = dataset.record(index)
        assert Path(record["file_name"]).resolve().is_relative_to(root.resolve())
        assert record["annotations"], "a picture without people"
        for person in record["annotations"]:
            x0, y0, x1, y1 = person["bbox"]
            assert all(map(math.isfinite, person["bbox"]))
            assert 0 <= x0 < x1 <= record["width"]
            assert 0 <= y0 < y1 <= record["height"]
            assert person["labels"]
            assert all(0 <= label < dataset.emotions.num_emotions for label in person["labels"])
        try:
            assert dataset.load_image(index).size == (record["width"], record["height"])
        except ImageError as error:
            assert record["file_name"] in str(error)  # noqa: PT017


def try_annotations(name: str, made: Made, content: bytes, on_error: str, test: str) -> None:
    layout, root = LAYOUTS[name], made[name]
    (root / layout.annotations).write_bytes(content)
    before = files_below(root)
    told(test, lambda: read(layout, root, on_error))
    assert files_below(root) == before


ORIGINALS: dict[str, bytes] = {}


def original(name: str, made: Made) -> bytes:
    """The annotation file before any case."""
    if name not in ORIGINALS:
        ORIGINALS[name] = (made[name] / LAYOUTS[name].annotations).read_bytes()
    return ORIGINALS[name]


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_originals_can_be_read(name: str, made: Made) -> None:
    """Else nothing below would be tried."""
    original(name, made)
    read(LAYOUTS[name], made[name], "skip")


@pytest.mark.parametrize("name", LAYOUTS)
@given(data=st.data(), on_error=st.sampled_from(("skip", "raise")))
@cases(12)
def test_annotation_files_with_damaged_bytes(name: str, made: Made, data: st.DataObject, on_error: str) -> None:
    content = data.draw(damaged(original(name, made)))
    try_annotations(name, made, content, on_error, "annotation files, bytes")


@pytest.mark.parametrize("name", [name for name, layout in LAYOUTS.items() if layout.annotations.endswith(".json")])
@given(data=st.data(), on_error=st.sampled_from(("skip", "raise")))
@cases(25)
def test_annotation_files_with_other_values(name: str, made: Made, data: st.DataObject, on_error: str) -> None:
    content = data.draw(changed(json.loads(original(name, made))))
    try_annotations(name, made, json.dumps(content).encode(), on_error, "annotation files, values of JSON")


@pytest.mark.parametrize("name", ["CAER-S, lines", "ExpW"])
@given(data=st.data())
@cases(25)
def test_annotation_files_with_other_words(name: str, made: Made, data: st.DataObject) -> None:
    lines = original(name, made).decode().splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(lines) - 1))
        separator = "," if "," in lines[place] else " "
        words = lines[place].split(separator)
        words[data.draw(st.integers(0, len(words) - 1))] = str(data.draw(PLAIN))
        lines[place] = separator.join(words)
    content = "\n".join(lines).encode("utf-8", "surrogatepass")
    try_annotations(name, made, content, "skip", "annotation files, words of lines")


@given(data=st.data())
@cases(20)
def test_a_mat_file_with_other_values(made: Made, data: st.DataObject) -> None:
    from scipy.io import loadmat, savemat

    name = "EMOTIC, Annotations.mat"
    original(name, made)
    GOOD.setdefault("mat", loadmat(Path(__file__).parents[1] / "golden/data/emotic/Annotations/Annotations.mat"))
    person = {
        "body_bbox": data.draw(st.lists(NUMBERS, max_size=5)) or [1, 2, 3, 4],
        "annotations_categories": {"categories": data.draw(st.lists(TEXTS, max_size=3))},
        "annotations_continuous": data.draw(st.sampled_from([{}, {"valence": 5.0}, [1, 2], "x"])),
        "gender": data.draw(TEXTS),
        "age": data.draw(st.sampled_from(["Adult", 7, []])),
    }
    entry = {
        "filename": data.draw(st.one_of(TEXTS, st.just("tiny_000001.jpg"))),
        "folder": data.draw(st.one_of(TEXTS, st.just("mscoco/images"))),
        "image_size": data.draw(st.sampled_from([{"n_col": 64, "n_row": 48}, {"n_col": [], "n_row": -1}, [], "64"])),
        "person": data.draw(st.sampled_from([[person], person, [], 3, {"body_bbox": [1, 2, 3, 4]}])),
    }
    entry.pop(data.draw(st.sampled_from(["none", *entry])), None)
    place = made[name] / "try.mat"
    try:
        savemat(place, {"train": [entry] if data.draw(st.booleans()) else entry})
    except (TypeError, ValueError, OverflowError, UnicodeError, KeyError):
        place.unlink(missing_ok=True)
        return  # MATLAB has no such value either
    content = place.read_bytes()
    place.unlink()
    try_annotations(
        name, made, content, data.draw(st.sampled_from(("skip", "raise"))), "annotation files, values of .mat"
    )


GOOD: dict[str, Any] = {}


@given(data=st.data())
@cases(40)
def test_the_readers_of_coco_style_files(made: Made, data: st.DataObject) -> None:
    """Emotions found in the files, things beside people, things alone."""
    root = made["COCO-style"]
    original("COCO-style", made)
    mine = data.draw(changed(coco_content())) if data.draw(st.booleans()) else coco_content()
    things = data.draw(changed(coco_content()))
    (root / "annotations/train.json").write_text(json.dumps(mine))
    (root / "things.json").write_text(json.dumps(things))
    before = files_below(root)
    told("objects beside people", lambda: object_classes_of_files(str(root), "things.json"))
    told("objects beside people", lambda: look_at(CocoDataset(str(root), "train", objects="things.json"), root))
    told("objects alone", lambda: look_at(CocoObjects(str(root), "train", on_error="skip"), root))
    assert files_below(root) == before


@pytest.mark.parametrize("name", LAYOUTS)
@given(data=st.data())
@cases(10)
def test_pictures_of_a_data_set_with_damaged_bytes(name: str, made: Made, data: st.DataObject) -> None:
    layout, root = LAYOUTS[name], made[name]
    (root / layout.annotations).write_bytes(original(name, made))
    place = root / layout.picture
    good = place.read_bytes()
    try:
        place.write_bytes(data.draw(damaged(good)))
        told("pictures of data sets", lambda: read(layout, root, data.draw(st.sampled_from(("skip", "raise")))))
    finally:
        place.write_bytes(good)
