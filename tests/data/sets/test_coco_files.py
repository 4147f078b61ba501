"""A user's own COCO-style files: layouts and ways to name emotions, as labelling tools export them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dsct_detrex.data import catalogue
from dsct_detrex.data.sets.coco import CocoDataset, emotions_of_files
from dsct_detrex.errors import UserError
from dsct_detrex.structures import MultiClassEmotions, MultiLabelEmotions
from tests.commands import data as data_command

SIZE = (64, 48)
BOXES = ([5, 6, 20, 30], [30, 6, 20, 30])
MOODS = [{"id": 1, "name": "calm"}, {"id": 2, "name": "tense"}]
PERSON = [{"id": 1, "name": "person"}]


def content(people: Sequence[dict[str, Any]], categories: Any = (), name: str = "a.jpg") -> dict[str, Any]:
    """One picture with people, their boxes side by side unless they have some."""
    annotations = [
        {"id": number, "image_id": 1, "bbox": BOXES[number % 2], **person} for number, person in enumerate(people)
    ]
    image = {"id": 1, "file_name": name, "width": SIZE[0], "height": SIZE[1]}
    return {"images": [image], "annotations": annotations, "categories": list(categories)}


def write(root: Path, file: str, picture: str, said: dict[str, Any]) -> None:
    for path in (root / file, root / picture):
        path.parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_text(json.dumps(said))
    Image.new("RGB", SIZE).save(root / picture)


TWO_MOODS = [{"category_id": 1}, {"category_id": 2}]


@pytest.mark.parametrize(
    ("file", "picture", "name"),
    [
        ("annotations/{}.json", "{}/a.jpg", "a.jpg"),
        ("{}.json", "images/{}/a.jpg", "a.jpg"),
        ("annotations/instances_{}2017.json", "{}2017/a.jpg", "a.jpg"),
        ("annotations/instances_{}.json", "images/{}/a.jpg", "{}/a.jpg"),
        ("{}/_annotations.coco.json", "{}/a.jpg", "a.jpg"),
        ("{}/labels.json", "{}/data/a.jpg", "a.jpg"),
        ("{}.json", "images/a.jpg", "images\\a.jpg"),
        ("{}.json", "images/a.jpg", "C:\\export\\images\\a.jpg"),
        ("{}.json", "images/a.jpg", "../../upload/a.jpg"),
        ("{}.json", "{}/a.jpg", "A.JPG"),
    ],
)
@pytest.mark.parametrize("words", [("train", "val", "test"), ("training", "valid", "testing")])
def test_layouts(file: str, picture: str, name: str, words: Sequence[str], tmp_path: Path) -> None:
    for word in words:
        said = content(TWO_MOODS, MOODS, name.format(word))
        write(tmp_path, file.format(word), picture.format(word), said)
    for split, word in zip(("train", "val", "test"), words):
        dataset = CocoDataset(str(tmp_path), split)
        record = dataset.record(0)
        assert Path(record["file_name"]) == tmp_path / picture.format(word)
        assert [person["labels"] for person in record["annotations"]] == [[0], [1]]
        assert dataset.load_image(0).size == SIZE
        assert dataset.split == split


BOTH = {"emotions": ["calm", "tense"]}


@pytest.mark.parametrize(
    ("people", "categories", "names", "several", "labels"),
    [
        # A category for each emotion, from 0 or 1, in the file's order.
        (TWO_MOODS, MOODS, ("calm", "tense"), False, [[0], [1]]),
        (TWO_MOODS, MOODS[::-1], ("tense", "calm"), False, [[1], [0]]),
        # An emotion that nobody has is one all the same; Roboflow's parent category and "person" are none.
        (TWO_MOODS, [*MOODS, {"id": 3, "name": "sad"}], ("calm", "tense", "sad"), False, [[0], [1]]),
        (
            TWO_MOODS,
            [{"id": 0, "name": "mood"}, *({**each, "supercategory": "mood"} for each in MOODS)],
            ("calm", "tense"),
            False,
            [[0], [1]],
        ),
        (TWO_MOODS, [*MOODS, {"id": 9, "name": "person"}], ("calm", "tense"), False, [[0], [1]]),
        # One box with two categories is one person with two emotions.
        ([{**each, "bbox": BOXES[0]} for each in TWO_MOODS], MOODS, ("calm", "tense"), True, [[0, 1]]),
        # Names in the annotation, with and without categories.
        ([BOTH, {"emotions": ["calm"]}], PERSON, ("calm", "tense"), True, [[0, 1], [0]]),
        ([{"emotion": "tense"}, {"emotion": "calm"}], [], ("calm", "tense"), False, [[1], [0]]),
        ([{"emotions": "tense, calm"}], [], ("calm", "tense"), True, [[0, 1]]),
        ([{"emotions": [2]}, {"emotions": [1]}], MOODS, ("calm", "tense"), False, [[1], [0]]),
        ([{"category_id": "tense"}, {"category_id": "calm"}], [], ("calm", "tense"), False, [[1], [0]]),
        # CVAT: a choice, or boxes to tick, beside what it writes itself.
        (
            [
                {"category_id": 1, "attributes": {"emotion": "tense", "occluded": False, "rotation": 0.0}},
                {"category_id": 1, "attributes": {"emotion": "calm", "occluded": True}},
            ],
            PERSON,
            ("calm", "tense"),
            False,
            [[1], [0]],
        ),
        (
            [
                {"category_id": 1, "attributes": {"tense": True, "calm": True, "sad": False, "occluded": True}},
                {"category_id": 1, "attributes": {"tense": False, "calm": True, "sad": False, "occluded": False}},
            ],
            PERSON,
            ("calm", "sad", "tense"),
            True,
            [[0, 2], [0]],
        ),
        (
            [
                {"category_id": 1, "attributes": {"emotion": "calm"}},
                {"category_id": 1, "attributes": {"emotion": "tense"}},
                {"category_id": 1, "attributes": {"emotion": "__undefined__"}, "bbox": [1, 1, 9, 9]},
            ],
            PERSON,
            ("calm", "tense"),
            False,
            [[0], [1]],
        ),
        ([{"category_id": 1, "attributes": ["calm"]}, {"category_id": 1, "attributes": ["tense"]}],
         PERSON, ("calm", "tense"), False, [[0], [1]]),
        # Who answers for the emotion is not asked for a name, and "man" and "woman" are none then.
        (
            [
                {"category_id": 1, "attributes": {"name": "Anna", "glasses": True, "emotion": "tense"}},
                {"category_id": 2, "attributes": {"name": "Otto", "glasses": False, "emotion": "calm"}},
            ],
            [{"id": 1, "name": "woman"}, {"id": 2, "name": "man"}],
            ("calm", "tense"),
            False,
            [[1], [0]],
        ),
        ([{"attributes": {"mood": "tense"}}, {"attributes": {"Facial Expression": "calm"}}],
         PERSON, ("calm", "tense"), False, [[1], [0]]),
        # Yes and no as words.
        ([{"attributes": {"tense": "true", "calm": "false"}}, {"attributes": {"tense": "No", "calm": "Yes"}}],
         PERSON, ("calm", "tense"), False, [[1], [0]]),
        ([{"category_id": [1, 2]}, {"category_id": [2]}], MOODS, ("calm", "tense"), True, [[0, 1], [1]]),
        # Somebody who is merely a person has no emotion.
        ([*TWO_MOODS, {"category_id": 9, "bbox": [1, 1, 9, 9]}],
         [{"id": 9, "name": "person"}, *MOODS], ("calm", "tense"), False, [[0], [1]]),
        # Names that hold what separates names elsewhere.
        (TWO_MOODS, [{"id": 1, "name": "so, so"}, {"id": 2, "name": "悲/😀"}], ("so, so", "悲/😀"), False, [[0], [1]]),
        ([{"emotions": ["so, so"]}, {"emotions": ["b; c"]}], [], ("b; c", "so, so"), False, [[1], [0]]),
    ],
)  # fmt: skip
def test_emotions_and_kind_come_from_the_file(
    people: Any, categories: Any, names: Any, several: bool, labels: Any, tmp_path: Path
) -> None:
    write(tmp_path, "train.json", "train/a.jpg", content(people, categories))
    emotions = emotions_of_files(str(tmp_path))
    assert emotions.names == names
    assert isinstance(emotions, MultiLabelEmotions if several else MultiClassEmotions)
    assert emotions.name == tmp_path.name.replace("[", "_").strip("_")[:60]
    assert f"{len(names)} of train.json" in emotions.origin
    assert ("people have several" if several else "nobody has two") in emotions.origin
    record = CocoDataset(str(tmp_path), "train", emotions).record(0)
    assert [person["labels"] for person in record["annotations"]] == labels


def test_what_is_stated_counts(tmp_path: Path) -> None:
    write(tmp_path, "train.json", "train/a.jpg", content(TWO_MOODS, MOODS))
    stated = emotions_of_files(str(tmp_path), kind="multi_label", names=["sad", "tense", "calm"], name="moods")
    assert stated == MultiLabelEmotions("moods", ("sad", "tense", "calm"))
    record = CocoDataset(str(tmp_path), "train", stated).record(0)
    assert [person["labels"] for person in record["annotations"]] == [[2], [1]]


def test_files_and_folders_can_be_named(tmp_path: Path) -> None:
    write(tmp_path, "export/mine_train.json", "photos/a.jpg", content(TWO_MOODS, MOODS))
    named = {"train": "export/mine_train.json", "val": None}
    dataset = CocoDataset(str(tmp_path), "train", annotations=named, images="photos")
    assert len(dataset) == 1
    assert len(CocoDataset(str(tmp_path), "train", annotations="export/mine_{split}.json", images="photos")) == 1
    with pytest.raises(UserError, match=r"images=nowhere is not a folder, neither as given nor under"):
        CocoDataset(str(tmp_path), "train", annotations=named, images="nowhere")
    with pytest.raises(UserError, match=r"annotations=\) expects files for train, val, test\. Got 'dev'"):
        CocoDataset(str(tmp_path), "train", annotations={"dev": "x.json"})
    with pytest.raises(UserError, match=r"no annotations for val .* Its JSON files are: export/mine_train\.json"):
        CocoDataset(str(tmp_path), "val", annotations=named)


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        (
            {},
            r"no annotations for train in .*Looked for train\.json, .*data\.annotations\.train=FILE",
        ),
        (
            {"train": content([{"category_id": 1}], PERSON)},
            r"train\.json names no emotions: its categories are 'person'",
        ),
        ({"train": content([{"category_id": 1}])}, r"train\.json names no emotions: it has no categories, .* 1 annota"),
        ({"train": content([], MOODS)}, r"train\.json has no people: its 'annotations' are empty"),
        ({"train": content([{"category_id": 1, "iscrowd": 1}], MOODS)}, r"all of its 1 annotations are crowds"),
        (
            {"train": content([{"category_id": 1, "emotions": [0, 1]}], PERSON)},
            r"names no emotions: .* name none \(they have emotions: \[0, 1\]\)",
        ),
        (
            {"train": content([{"category_id": 1, "attributes": {"calm": 0.2, "tense": 0.8}}], PERSON)},
            r"they have attributes: \{'calm': 0\.2, 'tense': 0\.8\}\)\. .*true and false, without shares",
        ),
        (
            {
                "train": content(TWO_MOODS, MOODS),
                "val": content([{"category_id": 3}], [*MOODS, {"id": 3, "name": "sad"}]),
            },
            r"val\.json has the emotions 'sad', which .*train\.json does not have \('calm', 'tense'\)",
        ),
        (
            {"train": content([{"category_id": 1}], MOODS[:1])},
            r"train\.json has one emotion, 'calm', .*data\.kind=multi_label to learn",
        ),
        ({"train": content(TWO_MOODS, [*MOODS, {"id": 3, "name": "Calm"}])}, r"'calm' and 'Calm', which files cannot"),
    ],
)
def test_what_has_no_label_set_is_refused(files: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    for split, said in files.items():
        write(tmp_path, f"{split}.json", f"{split}/a.jpg", said)
    with pytest.raises(UserError, match=sentence) as refused:
        emotions_of_files(str(tmp_path))
    assert "\n" not in str(refused.value)


def test_unknown_kind(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"kind=\) expects multi_label or multi_class, or null .* Got 'several'"):
        emotions_of_files(str(tmp_path), kind="several")


def test_two_files_of_a_split_are_not_guessed_between(tmp_path: Path) -> None:
    for file in ("train.json", "annotations/train.json"):
        write(tmp_path, file, "train/a.jpg", content(TWO_MOODS, MOODS))
    with pytest.raises(UserError, match=r"several annotation files for train: train\.json, annotations/train\.json\."):
        emotions_of_files(str(tmp_path))


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    write(tmp_path, "train.json", "train/a.jpg", content(TWO_MOODS, MOODS))
    assert emotions_of_files(str(tmp_path)).num_emotions == 2
    write(tmp_path, "train.json", "train/a.jpg", content(TWO_MOODS, [*MOODS, {"id": 3, "name": "sad"}]))
    assert emotions_of_files(str(tmp_path)).num_emotions == 3


def test_it_is_recognised_and_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for split in ("train", "val"):
        write(tmp_path, f"annotations/{split}.json", f"{split}/a.jpg", content(TWO_MOODS, MOODS))
    assert catalogue.recognise(str(tmp_path)).name == "coco"
    assert data_command(["check", "--root", str(tmp_path), "--splits", "train", "val"]) == 0
    assert "1 images, 2 people" in capsys.readouterr().out


def test_emotions_that_nobody_in_val_has_do_not_matter(tmp_path: Path) -> None:
    write(tmp_path, "train.json", "train/a.jpg", content(TWO_MOODS, [*MOODS, {"id": 4, "name": "odd"}]))
    write(tmp_path, "val.json", "val/a.jpg", content(TWO_MOODS[:1], [*MOODS, {"id": 3, "name": "sad"}]))
    emotions = emotions_of_files(str(tmp_path))
    assert emotions.names == ("calm", "tense", "odd")
    assert "Nobody in train.json has 'odd'; data.emotions leaves them out" in emotions.origin


def many(count: int) -> dict[str, Any]:
    images = [{"id": n, "file_name": f"{n}.jpg", "width": SIZE[0], "height": SIZE[1]} for n in range(count)]
    people = [{"image_id": n, "bbox": BOXES[0], "category_id": 1 + n % 2} for n in range(count)]
    return {"images": images, "annotations": people, "categories": MOODS}


@pytest.mark.parametrize(
    ("file", "folder"),
    [
        ("annotations/instances_default.json", "images/default"),
        ("annotations/instances_default.json", "images"),
        ("result.json", "images"),
        ("labels.json", "data"),
        ("_annotations.coco.json", "."),
        ("annotations/train.json", "train"),
    ],
)
def test_a_share_of_one_export_is_val(file: str, folder: str, tmp_path: Path) -> None:
    for number in range(24):
        write(tmp_path, file, f"{folder}/{number}.jpg", many(24))
    assert catalogue.recognise(str(tmp_path)).name == "coco"
    assert len(CocoDataset(str(tmp_path), "train")) == 24
    with pytest.raises(UserError, match=r"no annotations for val .* keep a share of train for it: data\.held_out=0\.2"):
        CocoDataset(str(tmp_path), "val")
    parts = [CocoDataset(str(tmp_path), split, held_out=0.25) for split in ("train", "val")]
    names = [[Path(part.record(n)["file_name"]).name for n in range(len(part))] for part in parts]
    assert [len(each) for each in names] == [18, 6]
    assert sorted(names[0] + names[1]) == sorted(f"{number}.jpg" for number in range(24)), "each picture in one of them"
    assert "held out for val" in parts[0].description


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5, 1, "0.2", True])
def test_a_share_is_above_0_and_below_1(share: Any, tmp_path: Path) -> None:
    write(tmp_path, "train.json", "train/a.jpg", content(TWO_MOODS, MOODS))
    with pytest.raises(UserError, match=r"held_out=\) expects a share of the pictures above 0 and below 1, or null\."):
        CocoDataset(str(tmp_path), "val", held_out=share)


def test_a_share_that_cannot_be_kept(tmp_path: Path) -> None:
    write(tmp_path, "train.json", "train/a.jpg", content(TWO_MOODS, MOODS))
    with pytest.raises(UserError, match=r"has 1 pictures, which held_out=0\.2 cannot divide into train and val"):
        CocoDataset(str(tmp_path), "val", held_out=0.2)
    write(tmp_path, "val.json", "val/a.jpg", content(TWO_MOODS, MOODS))
    with pytest.raises(UserError, match=r"keeps pictures of train for val, but .* has annotations for val"):
        CocoDataset(str(tmp_path), "train", held_out=0.2)


def test_the_folder_above_an_export_names_it(tmp_path: Path) -> None:
    write(
        tmp_path, "moods.v1i.coco/train/_annotations.coco.json", "moods.v1i.coco/train/a.jpg", content(TWO_MOODS, MOODS)
    )
    with pytest.raises(UserError, match=r"Name the folder that holds them as root: .*moods\.v1i\.coco\."):
        emotions_of_files(str(tmp_path))


def test_a_split_that_nobody_asked_for_is_no_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for split in ("train", "val"):
        write(tmp_path, f"{split}.json", f"{split}/a.jpg", content(TWO_MOODS, MOODS))
    assert data_command(["check", "--root", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "There is no test split. coco: no annotations for test" in told
    assert "emotions: 2 of train.json ('calm', 'tense'), one a person (multi-class)" in told
    assert "people by label (one a person)" in told
    assert data_command(["check", "--root", str(tmp_path), "--splits", "train", "test"]) == 1
    (tmp_path / "train.json").unlink()
    assert data_command(["check", "--root", str(tmp_path)]) == 1
