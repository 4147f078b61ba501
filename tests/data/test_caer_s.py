"""CAER-S with its boxes from either public form, value for value against the golden folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dsct_detrex.data import CaerSDataset, EmotionDataset, Subset
from dsct_detrex.data.sets.caer_s import label_index
from dsct_detrex.errors import UserError
from dsct_detrex.structures import CAER_S

SPLITS = ("train", "val", "test")
FORMS = ("{split}.txt", "caer_{split}.json")


def expected_people(rows: list[dict[str, Any]], root: Path, split: str) -> dict[str, list[dict[str, Any]]]:
    people: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        file = root / ("test" if split == "test" else "train") / row["file"]
        x0, y0, x1, y1 = row["xyxy"]
        box = [max(x0, 0), max(y0, 0), min(x1, 40), min(y1, 30)]
        if file.exists():
            people.setdefault(str(file), []).append({"bbox": box, "labels": [row["label"]]})
    return people


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("split", SPLITS)
def test_every_golden_value(split: str, form: str, golden_caer: Path, golden_json: Callable[[str], Any]) -> None:
    golden = golden_json("data/caer_s/expected.json")
    dataset = CaerSDataset(str(golden_caer), split, annotations=form, on_error="skip")
    records = [dataset.record(i) for i in range(len(dataset))]
    people = expected_people(golden["rows"][split], golden_caer, split)
    assert {r["file_name"]: r["annotations"] for r in records} == people
    assert [r["file_name"] for r in records] == list(people)
    assert all([r["width"], r["height"]] == golden["image_size_width_height"] for r in records)
    assert [dataset.load_image(i).size for i in range(len(dataset))] == [(40, 30)] * len(people)
    assert list(CAER_S.names) == golden["class_names"]


def test_official_json_comes_first_and_is_named(golden_caer: Path) -> None:
    dataset = CaerSDataset(str(golden_caer), "test")
    assert dataset.description == "face boxes from caer_test.json"
    assert (dataset.name, dataset.emotions) == ("caer_s_test", CAER_S)
    assert isinstance(dataset, EmotionDataset)
    assert "share frames of the same videos" in dataset.warning
    assert Subset(dataset, 2).warning == dataset.warning


def test_missing_image_stops_or_is_counted(golden_caer: Path) -> None:
    with pytest.raises(UserError, match=r"1 of the 9 images that .*train\.txt names .*Surprise/0404\.png"):
        CaerSDataset(str(golden_caer), "train", annotations="{split}.txt")
    report = CaerSDataset(str(golden_caer), "train", annotations="{split}.txt", on_error="skip").report
    assert report.counts == {"missing_images": 1, "clamped_boxes": 2}


@pytest.fixture
def caer(golden_caer: Path, tmp_path: Path) -> Path:
    """The golden pictures without any box file, one level down as in the zip."""
    for split in ("train", "test"):
        shutil.copytree(golden_caer / split, tmp_path / "CAER-S" / split)
    return tmp_path


def test_absent_boxes_say_what_to_do(caer: Path) -> None:
    with pytest.raises(UserError) as caught:
        CaerSDataset(str(caer), "val")
    for part in ("no face boxes for split 'val'", "caer_val.json, val.txt, val.csv", str(caer), "annotations="):
        assert part in str(caught.value)


def test_absent_data_says_what_to_do(tmp_path: Path) -> None:
    for root in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(UserError) as caught:
            CaerSDataset(str(root), "train")
        for part in (str(root), "caer-dataset.github.io", "data generate --format caer_s"):
            assert part in str(caught.value)


def test_root_may_hold_the_folder_of_the_zip(caer: Path) -> None:
    for place in ("", "annotations", "CAER-S"):
        (caer / place).mkdir(exist_ok=True)
        (caer / place / "test.csv").write_text("test/Anger/0001.png,0,1,2,3,4\n")
        assert len(CaerSDataset(str(caer), "test")) == 1
        (caer / place / "test.csv").unlink()


@pytest.mark.parametrize(
    "path",
    ["train/Angry/0002.png", "train/anger/0002.png", "CAER-S/train/Anger/0002.png", "train\\Anger\\0002.png",
     "./Angry/0002.png", "/data/CAER-S/train/Anger/0002.png"],
)  # fmt: skip
def test_paths_in_every_public_spelling(path: str, caer: Path) -> None:
    (caer / "train.txt").write_text(f"{path}, Angry ,1,2,3.5,4\n")
    record = CaerSDataset(str(caer), "train").record(0)
    assert record["file_name"] == str(caer / "CAER-S/train/Anger/0002.png")
    assert record["annotations"] == [{"bbox": [1, 2, 3.5, 4], "labels": [0]}]


def test_class_folder_may_carry_the_alias(caer: Path) -> None:
    (caer / "CAER-S/train/Anger").rename(caer / "CAER-S/train/Angry")
    (caer / "train.txt").write_text("Anger/0001.png,0,1,2,3,4\n")
    assert CaerSDataset(str(caer), "train").record(0)["file_name"].endswith("train/Angry/0001.png")


def test_path_decides_where_validation_pictures_are(caer: Path) -> None:
    (caer / "val.txt").write_text("test/Sad/0001.png,5,1,2,3,4\nSad/0001.png,5,1,2,3,4\n")
    dataset = CaerSDataset(str(caer), "val")
    folders = [Path(dataset.record(i)["file_name"]).parts[-3] for i in range(2)]
    assert folders == ["test", "train"]
    assert len(CaerSDataset(str(caer), "val", val_images="test")) == 1  # both lines now mean the same picture


def test_header_blank_lines_and_byte_order_mark(caer: Path) -> None:
    (caer / "test.csv").write_text("\ufeffpath,label,x1,y1,x2,y2\n\nFear/0001.png,Fear,1,2,3,4\n", encoding="utf-8")
    assert len(CaerSDataset(str(caer), "test")) == 1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Fear/0001.png,Joy,1,2,3,4", "label 'Joy' is unknown, expected one of: 0 Anger, 1 Disgust"),
        ("Fear/0001.png,7,1,2,3,4", "label '7' is unknown"),
        ("Fear/0001.png,2,1,2,3", "5 fields"),
        ("Fear/0001.png,2,1,2,3,a", "'a'"),
        ("0001.png,2,1,2,3,4", "has no class folder"),
    ],
)
def test_bad_line_is_named(line: str, message: str, caer: Path) -> None:
    (caer / "test.txt").write_text(f"Sad/0001.png,5,1,2,3,4\n{line}\n")
    with pytest.raises(UserError) as caught:
        CaerSDataset(str(caer), "test")
    assert f"{caer / 'test.txt'}, line 2: " in str(caught.value)
    assert message in str(caught.value)


def test_binary_box_file(caer: Path) -> None:
    (caer / "test.txt").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(UserError, match=r"line 1: 1 fields\. Expected path,label"):
        CaerSDataset(str(caer), "test")


def test_unknown_category_of_the_json(caer: Path, golden_caer: Path) -> None:
    content = json.loads((golden_caer / "caer_test.json").read_text())
    content["annotations"][3]["category_id"] = 9
    (caer / "caer_test.json").write_text(json.dumps(content))
    with pytest.raises(
        UserError,
        match=r"caer_test\.json, annotation 3: 'category_id' expects .* id of the file's categories .* Got 9",
    ):
        CaerSDataset(str(caer), "test")


def test_another_class_order_is_noticed(caer: Path) -> None:
    names = [n for n in CAER_S.names if n != "Neutral"]
    shifted = "".join(f"{name}/0001.png,{(CAER_S.index(name) + 1) % 7},1,2,3,4\n" for name in names)
    (caer / "test.txt").write_text(shifted)
    with pytest.raises(UserError, match=r"6 of 6 labels contradict the class folder .* 0 is Surprise, 1 is Anger"):
        CaerSDataset(str(caer), "test")
    (caer / "test.txt").write_text("Sad/0001.png,5,1,2,3,4\nFear/0001.png,6,1,2,3,4\n")
    assert CaerSDataset(str(caer), "test").report.counts == {"label_differs_from_folder": 1}


def test_broken_picture_stops_or_is_counted(caer: Path) -> None:
    (caer / "CAER-S/test/Fear/0001.png").write_bytes(b"not a picture")
    (caer / "test.txt").write_text("Sad/0001.png,5,1,2,3,4\nFear/0001.png,2,1,2,3,4\n")
    with pytest.raises(UserError, match=r"Fear/0001\.png cannot be read"):
        CaerSDataset(str(caer), "test")
    dataset = CaerSDataset(str(caer), "test", on_error="skip")
    assert (len(dataset), dataset.report.counts) == (1, {"unreadable_images": 1})


def test_labels_in_every_public_spelling() -> None:
    pairs = {"Angry": 0, "anger": 0, "Happiness": 3, "Sadness": 5, " 6": 6, "surprised": 6}
    assert {label: label_index(label) for label in pairs} == pairs
    assert label_index(4) == 4
