"""ExpW as its archives are unpacked: columns, labels, places, splits, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dsct_detrex.data import catalogue, headline_of
from dsct_detrex.data.division import split_of
from dsct_detrex.data.sets.expw import ExpwDataset
from dsct_detrex.data.synthetic import SyntheticScenes, write_dataset
from dsct_detrex.errors import UserError
from dsct_detrex.names import SPLITS

README = "angry_actor_104.jpg 0 28 113 226 141 22.9362 0"
"""The line that public readers quote: a face of 113 x 113 pixels."""
ALL_TRAIN = (1, 0, 0)


def write(root: Path, *lines: str, place: str = "image/origin", file: str = "label/label.lst") -> str:
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_text("".join(f"{line}\n" for line in lines))
    (root / place).mkdir(parents=True, exist_ok=True)
    for line in lines:
        Image.new("RGB", (240, 160)).save(root / place / line.rsplit(maxsplit=7)[0])
    return str(root)


def people(dataset: ExpwDataset) -> list[tuple[str, list[float], str]]:
    records = [dataset.record(index) for index in range(len(dataset))]
    return [
        (Path(record["file_name"]).name, person["bbox"], dataset.emotions.names[person["labels"][0]])
        for record in records
        for person in record["annotations"]
    ]


def test_the_sides_come_in_the_order_of_the_readme(tmp_path: Path) -> None:
    dataset = ExpwDataset(write(tmp_path, README), "train", shares=ALL_TRAIN)
    assert people(dataset) == [("angry_actor_104.jpg", [113, 28, 226, 141], "Angry")]
    assert (dataset.record(0)["width"], dataset.record(0)["height"]) == (240, 160)
    assert dataset.record(0)["annotations"][0]["extra"] == {"confidence": 22.9362}
    assert dataset.boxes == "face"


def test_labels_are_numbered_as_in_the_readme(tmp_path: Path) -> None:
    lines = [f"a.jpg {i} 10 {10 + i} 40 40 9 {i}" for i in range(7)]
    names = [name for _, _, name in people(ExpwDataset(write(tmp_path, *lines), "train", shares=ALL_TRAIN))]
    assert names == ["Angry", "Disgust", "Fear", "Happy", "Sad", "Surprise", "Neutral"]


def test_what_real_lists_hold(tmp_path: Path) -> None:
    lines = (
        README,
        README,
        "a face with blanks.jpg 0 -5 -8 50 60 12.5 6",
        "a face with blanks.jpg 1 10 100 300 60 12.5 3",
        "a face with blanks.jpg 2 170 10 60 200 12.5 3",
    )
    dataset = ExpwDataset(write(tmp_path, *lines), "train", shares=ALL_TRAIN)
    assert [bbox for name, bbox, _ in people(dataset) if "blanks" in name] == [[0, 0, 50, 60], [100, 10, 240, 60]]
    assert dataset.report.counts == {"repeated_people": 1, "clamped_boxes": 2, "empty_boxes": 1}


@pytest.mark.parametrize(
    ("place", "file"),
    [
        ("image/origin", "label/label.lst"),
        ("data/image/origin", "data/label/label.lst"),
        ("ExpW/data/image/origin.7z/origin", "ExpW/data/label/label.lst"),
        ("origin/origin", "label.lst"),
        ("image", "label/label.lst"),
        ("", "label.lst"),
    ],
)
def test_where_people_unpack_it(place: str, file: str, tmp_path: Path) -> None:
    root = write(tmp_path, README, place=place, file=file)
    (tmp_path / "origin").mkdir(exist_ok=True)
    assert catalogue.recognise(root).name == "expw"
    record = ExpwDataset(root, "train", shares=ALL_TRAIN).record(0)
    assert record["file_name"] == str(tmp_path / place / "angry_actor_104.jpg")


def test_a_picture_under_another_spelling(tmp_path: Path) -> None:
    root = write(tmp_path, README)
    (tmp_path / "label/label.lst").write_text(README.replace("angry", "Angry"))
    assert ExpwDataset(root, "train", shares=ALL_TRAIN).report.counts == {"respelled_names": 1}


def test_every_picture_is_in_one_split(tmp_path: Path) -> None:
    lines = [f"{name}.jpg {face} 10 {10 + face} 40 40 9 1" for name in range(40) for face in range(2)]
    root = write(tmp_path, *lines)
    found = {split: {name for name, _, _ in people(ExpwDataset(root, split))} for split in SPLITS}
    assert sum(map(len, found.values())) == len(set().union(*found.values())) == 40
    assert all(split_of(name) == split for split, names in found.items() for name in names)
    dataset = ExpwDataset(root, "val")
    said = "pictures divided by name (70 % train, 10 % val, 20 % test)"
    assert dataset.description == f"face boxes from label.lst, {said}"
    headline = headline_of(dataset)
    assert headline is not None
    assert headline.warnings == (f"{catalogue.get('expw').warning} Here: {said}.",)


def test_lists_of_ones_own_are_not_divided(tmp_path: Path) -> None:
    root = write(tmp_path, README)
    (tmp_path / "test.lst").write_text(README)
    dataset = ExpwDataset(root, "test", annotations="{split}.lst")
    assert len(dataset) == 1
    assert dataset.description == "face boxes from test.lst, a list for each split"
    (tmp_path / "val.lst").write_text(README.replace("angry", "ANGRY"))
    with pytest.raises(UserError, match=r"test\.lst and .*val\.lst both list 1 pictures, the first is ANGRY_actor"):
        ExpwDataset(root, "test", annotations="{split}.lst")


def test_faces_below_a_confidence_are_left_out(tmp_path: Path) -> None:
    root = write(tmp_path, README, README.replace(" 0 28 113", " 1 20 10").replace("22.9362", "80"))
    dataset = ExpwDataset(root, "train", shares=ALL_TRAIN, min_confidence=60)
    assert len(people(dataset)) == 1
    assert dataset.description.endswith("1 of 2 faces left out below confidence 60")
    with pytest.raises(UserError, match=r"no face is left of the 2 in .* left out below confidence 90\)\. Choose"):
        ExpwDataset(root, "train", shares=ALL_TRAIN, min_confidence=90)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("a.jpg 0 28 113 226 141 22.9362", "line 1: 7 fields. Expected 8, separated by blanks: image_name face_id top"),
        ("a.jpg,0,28,113,226,141,22.9,0", "line 1: 1 fields. Expected 8"),
        ("a.jpg 0 28 113 x 141 22.9362 0", "line 1: 'x' is not a number. Expected image_name face_id top left right"),
        ("a.jpg 0 28 113 226 141 22.9362 7", "line 1: label '7' is unknown. Expected one of 0 Angry, 1 Disgust"),
        ("a.jpg 0 28 113 226 141 22.9362 -1", "line 1: label '-1' is unknown"),
        ("a.jpg 0 28 113 226 141 22.9362 joy", "line 1: label 'joy' is unknown"),
    ],
)
def test_a_bad_line_is_named(line: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "label.lst").write_text(line)
    with pytest.raises(UserError) as caught:
        ExpwDataset(str(tmp_path), "train")
    assert f"{tmp_path / 'label.lst'}, {sentence}" in str(caught.value)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"split": "dev"}, "ExpwDataset(split=) expects one of train, val, test. Got 'dev'."),
        ({"min_confidence": "high"}, "ExpwDataset(min_confidence=) expects a number, or null for all faces. Got"),
        ({"min_confidence": float("nan")}, "ExpwDataset(min_confidence=) expects a number"),
        ({"on_error": "stop"}, "ExpwDataset(on_error=) expects 'raise' or 'skip'. Got 'stop'."),
        ({"shares": (0, 1, 0)}, "no face is left of the 1 in"),
        ({"annotations": "mine.lst"}, "expw: annotations=mine.lst is not there"),
    ],
)
def test_wrong_arguments(options: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        ExpwDataset(write(tmp_path, README), **{"split": "train", **options})
    assert sentence in str(caught.value)


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no label/label\.lst or label\.lst in .*unpack origin\.7z\.001"):
        ExpwDataset(str(tmp_path), "train")
    (tmp_path / "image").mkdir()
    (tmp_path / "image/origin.7z.001").write_bytes(b"packed")
    (tmp_path / "label.lst").write_text(README)
    with pytest.raises(UserError, match=r"none of the 1 pictures of .* the first is angry_actor_104\.jpg.*unpack"):
        ExpwDataset(str(tmp_path), "train")
    root = write(tmp_path, README)
    (tmp_path / "label/label.lst").write_text(f"{README}\nlost.jpg 0 28 113 226 141 22 0\n")
    with pytest.raises(UserError, match=r"1 of the 2 images .* first is .*lost\.jpg"):
        ExpwDataset(root, "train", shares=ALL_TRAIN)
    assert ExpwDataset(root, "train", shares=ALL_TRAIN, on_error="skip").report.counts == {"missing_images": 1}


def test_the_stand_in_reads_back_as_it_was_drawn(tmp_path: Path) -> None:
    write_dataset("expw", tmp_path, {"train": 3, "val": 2}, seed=5, size=(64, 48))
    for split, length in (("train", 3), ("val", 2)):
        scenes = SyntheticScenes("caer_s", split, length, 5, (64, 48), boxes="head")
        drawn = [
            (
                [round(side) for side in person["bbox"]],
                scenes.emotions.names[person["labels"][0]].replace("Anger", "Angry"),
            )
            for index in range(length)
            for person in scenes.record(index)["annotations"]
        ]
        assert [(bbox, name) for _, bbox, name in people(ExpwDataset(str(tmp_path), split))] == drawn
