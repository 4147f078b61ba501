"""EMOTIC from its two annotation releases, value for value against the golden folder."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from scipy.io import savemat

from dsct_detrex.data import EmoticDataset, EmotionDataset
from dsct_detrex.data.sets.emotic import decode_bits, label_indices, mat_variable
from dsct_detrex.errors import UserError
from dsct_detrex.structures import EMOTIC

SPLITS = ("train", "val", "test")


def clipped(box: list[float], size: dict[str, int]) -> list[float]:
    x0, y0, x1, y1 = box
    return [max(x0, 0), max(y0, 0), min(x1, size["n_col"]), min(y1, size["n_row"])]


def numbers(values: list[float | None]) -> list[float | None]:
    return [None if value is None else float(value) for value in values]


@pytest.mark.parametrize("split", SPLITS)
def test_mat_holds_every_golden_value(split: str, golden_emotic: Path, golden_json: Callable[[str], Any]) -> None:
    expected = golden_json("data/emotic/expected.json")["splits"][split]
    dataset = EmoticDataset(str(golden_emotic), split, boxes="body")
    assert len(dataset) == len(expected)
    for index, image in enumerate(expected):
        record = dataset.record(index)
        assert record["file_name"] == str(golden_emotic / "emotic" / image["folder"] / image["filename"])
        assert record["image_id"] == index + 1
        assert (record["width"], record["height"]) == (image["size"]["n_col"], image["size"]["n_row"])
        people = [p for p in image["persons"] if p["bbox"][2] > p["bbox"][0]]
        assert len(record["annotations"]) == len(people)
        for person, annotation in zip(people, record["annotations"]):
            labels = person.get("combined", person.get("categories"))
            assert annotation["bbox"] == clipped(person["bbox"], image["size"])
            assert [EMOTIC.names[label] for label in annotation["labels"]] == sorted(labels)
            extra = annotation["extra"]
            assert (extra["gender"], extra["age"]) == (person["gender"], person["age"])
            assert extra["continuous"] == numbers(person.get("combined_vad", person.get("vad")))
            annotators = person.get("annotators", [person.get("categories")])
            assert [a["labels"] for a in extra["annotators"]] == [label_indices(names) for names in annotators]
            opinions = person.get("vads", [person.get("vad")])
            assert [a["continuous"] for a in extra["annotators"]] == [numbers(opinion) for opinion in opinions]


@pytest.mark.parametrize("split", SPLITS)
def test_mat_and_official_json_agree(split: str, golden_emotic: Path) -> None:
    body = EmoticDataset(str(golden_emotic), split, boxes="body")
    head = EmoticDataset(str(golden_emotic), split, boxes="head")
    plain = [
        {
            **body.record(i),
            "annotations": [{"bbox": a["bbox"], "labels": a["labels"]} for a in body.record(i)["annotations"]],
        }
        for i in range(len(body))
    ]
    assert plain == [head.record(i) for i in range(len(head))]


def test_counts_what_was_mended(golden_emotic: Path) -> None:
    report = EmoticDataset(str(golden_emotic), "train", boxes="body").report
    assert report.counts == {"clamped_boxes": 2, "empty_boxes": 1}
    assert (report.images, report.people) == (3, 5)
    assert "tiny_000003.jpg" in report.examples["empty_boxes"][0]


def test_is_an_emotion_dataset(golden_emotic: Path) -> None:
    dataset = EmoticDataset(str(golden_emotic), "val")
    assert isinstance(dataset, EmotionDataset)
    assert (dataset.name, dataset.emotions) == ("emotic_val", EMOTIC)
    image = dataset.load_image(1)
    assert (image.mode, image.size) == ("RGB", (40, 40))


def test_description_names_the_release(golden_emotic: Path) -> None:
    assert EmoticDataset(str(golden_emotic), "test", boxes="body").description == "body boxes from Annotations.mat"
    assert EmoticDataset(str(golden_emotic), "test", boxes="head").description == "head boxes from emotic_test_bi.json"
    assert EmoticDataset(str(golden_emotic), "test").description == "head boxes from emotic_test_bi.json"


def test_auto_takes_the_body_boxes_where_there_are_no_others(golden_emotic: Path, tmp_path: Path) -> None:
    for folder in ("Annotations", "emotic"):
        shutil.copytree(golden_emotic / folder, tmp_path / folder)
    assert EmoticDataset(str(tmp_path), "test").description == "body boxes from Annotations.mat"


@pytest.mark.parametrize("layout", ["emotic", "images", "images/emotic", "."])
def test_finds_the_images_where_users_put_them(layout: str, golden_emotic: Path, tmp_path: Path) -> None:
    shutil.copytree(golden_emotic / "Annotations", tmp_path / "Annotations")
    shutil.copytree(golden_emotic / "emotic", tmp_path / layout, dirs_exist_ok=True)
    dataset = EmoticDataset(str(tmp_path), "train")
    assert dataset.load_image(0).size == (64, 48)


def test_root_may_be_the_image_folder(golden_emotic: Path) -> None:
    assert len(EmoticDataset(str(golden_emotic / "emotic"), "train", boxes="body")) == 3
    assert len(EmoticDataset(str(golden_emotic / "emotic"), "train", boxes="head")) == 3


def test_annotations_can_be_named(golden_emotic: Path, tmp_path: Path) -> None:
    other = tmp_path / "mine_val.json"
    shutil.copy(golden_emotic / "emotic_val_bi.json", other)
    dataset = EmoticDataset(str(golden_emotic), "val", annotations=str(tmp_path / "mine_{split}.json"))
    unstated = "boxes of unstated kind (say boxes=head or boxes=body) from mine_val.json"
    assert (dataset.description, dataset.boxes, dataset.boxes_stated) == (unstated, "unstated", False)
    stated = EmoticDataset(str(golden_emotic), "val", boxes="body", annotations=str(other))
    assert (stated.description, stated.boxes, stated.boxes_stated) == ("body boxes from mine_val.json", "body", True)
    named = EmoticDataset(str(golden_emotic), "val", annotations="Annotations/Annotations.mat")
    assert named.description == "body boxes from Annotations.mat"
    with pytest.raises(UserError, match="body boxes only"):
        EmoticDataset(str(golden_emotic), "val", boxes="head", annotations="Annotations/Annotations.mat")
    with pytest.raises(UserError, match=r"annotations=Annotations is a folder\. Name the annotation file in it\."):
        EmoticDataset(str(golden_emotic), "val", annotations="Annotations")
    with pytest.raises(UserError, match=r"annotations=nowhere\.json is not there"):
        EmoticDataset(str(golden_emotic), "val", annotations="nowhere.json")


def test_bits(golden_json: Callable[[str], Any]) -> None:
    golden = golden_json("dsct/labels.json")
    assert list(EMOTIC.names) == golden["class_names"]
    for example in golden["examples"]:
        assert decode_bits(example["category_id"]) == example["classes"]
        assert EMOTIC.encode([decode_bits(example["category_id"])])[0].tolist() == example["multi_hot"]
    for wrong in (-1, 2**26):
        with pytest.raises(ValueError, match="26-bit"):
            decode_bits(wrong)


def test_boxes_as_the_official_loader_treats_them(
    golden_json: Callable[[str], Any], make_emotic: Callable[..., Path]
) -> None:
    golden = golden_json("dsct/labels.json")["box_handling"]
    root = make_emotic(size=tuple(golden["image_width_height"]), people=golden["annotations"])
    dataset = EmoticDataset(str(root), "train")
    record = dataset.record(0)
    assert [a["bbox"] for a in record["annotations"]] == golden["expect"]["boxes_xyxy"]
    assert [a["labels"] for a in record["annotations"]] == [decode_bits(i) for i in golden["expect"]["category_id"]]
    assert [record["height"], record["width"]] == golden["expect"]["orig_size"]
    assert dataset.report.counts == {"crowd_boxes": 1, "clamped_boxes": 2, "empty_boxes": 2}


def test_official_files_decode_to_the_published_class_order(golden_json: Callable[[str], Any]) -> None:
    facts = golden_json("data/official_annotation_facts.json")
    for name in ("emotic_val_bi.json", "emotic_test_bi.json"):
        assert list(facts[name]["class_counts"]) == list(EMOTIC.names)
        for category_id in facts[name]["first_category_ids"]:
            packed = sum(1 << (25 - label) for label in decode_bits(category_id))
            assert packed == category_id


def test_misspelt_label_of_the_original_is_understood() -> None:
    assert label_indices(["Yearning", "Disquitement"]) == [8, 25]


def save_mat(root: Path, person: dict[str, Any], times: int = 1, **fields: Any) -> Path:
    """One training picture with one person, listed as often as asked; ``fields`` are of the picture."""
    entry = {
        "filename": "tiny_000001.jpg",
        "folder": "mscoco/images",
        "image_size": {"n_col": 64.0, "n_row": 48.0},
        "person": {
            "body_bbox": [5.0, 6.0, 30.0, 44.0],
            "annotations_categories": {"categories": ["Peace"]},
            "annotations_continuous": {"valence": 1.0, "arousal": 2.0, "dominance": 3.0},
            "gender": "Male",
            "age": "Adult",
            **person,
        },
        **fields,
    }
    savemat(root / "mine.mat", {"train": [entry] * times})
    return root / "mine.mat"


def test_boxes_of_a_mat_file_are_in_the_form_that_is_stated(golden_emotic: Path, tmp_path: Path) -> None:
    path = str(save_mat(tmp_path, {"body_bbox": [5.0, 6.0, 30.0, 5.0]}))
    assert EmoticDataset(str(golden_emotic), "train", annotations=path, box_format="xywh").record(0)["annotations"][0][
        "bbox"
    ] == [5, 6, 35, 11]
    with pytest.raises(UserError, match=r"mine\.mat: the boxes are x, y, width, height, .* box_format=xywh"):
        EmoticDataset(str(golden_emotic), "train", annotations=path)


@pytest.mark.parametrize(
    "fields",
    [
        {"filename": "TINY_000001.JPG"},
        {"folder": "mscoco\\images"},
        {"folder": "emotic/mscoco/images/"},
        {"image_size": {"n_col": [], "n_row": []}},
    ],
)
def test_pictures_of_a_mat_file_are_found_as_those_of_json(
    fields: dict[str, Any], golden_emotic: Path, tmp_path: Path
) -> None:
    record = EmoticDataset(str(golden_emotic), "train", annotations=str(save_mat(tmp_path, {}, **fields))).record(0)
    assert (Path(record["file_name"]).name, record["width"], record["height"]) == ("tiny_000001.jpg", 64, 48)


def test_a_source_of_its_own_is_not_taken_for_another(make_emotic: Callable[..., Path], tmp_path: Path) -> None:
    root = make_emotic(images=1)
    picture = next((root / "emotic/mscoco/images").glob("*.jpg"))
    (root / "emotic/mine").mkdir()
    shutil.copy(picture, root / "emotic/mine/")
    path = save_mat(tmp_path, {}, folder="mine", filename=picture.name)
    dataset = EmoticDataset(str(root), "train", annotations=str(path))
    assert dataset.record(0)["file_name"] == str(root / "emotic/mine" / picture.name)


def test_a_picture_that_a_mat_file_lists_twice_is_one(golden_emotic: Path, tmp_path: Path) -> None:
    dataset = EmoticDataset(str(golden_emotic), "train", annotations=str(save_mat(tmp_path, {}, times=2)))
    assert (len(dataset), dataset.report.people) == (1, 1)
    assert dataset.report.counts == {"repeated_images": 1, "repeated_people": 1}


def test_the_format_of_mat_files_that_is_not_read_is_named(golden_emotic: Path, tmp_path: Path) -> None:
    path = tmp_path / "new.mat"
    path.write_bytes(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + b"\0" * 384 + b"\x89HDF\r\n\x1a\n")
    with pytest.raises(UserError, match=r"new\.mat is in MATLAB's format 7\.3, .* save\(\.\.\., '-v7'\)"):
        EmoticDataset(str(golden_emotic), "train", annotations=str(path))


def test_unknown_label_names_file_entry_and_known_labels(golden_emotic: Path, tmp_path: Path) -> None:
    path = save_mat(tmp_path, {"annotations_categories": {"categories": ["Joy"]}})
    with pytest.raises(UserError, match=r"mine\.mat, train image 1 .*Affection, .*Yearning.*'Joy'"):
        EmoticDataset(str(golden_emotic), "train", annotations=str(path))


def test_gaps_in_what_training_never_reads_are_no_error(golden_emotic: Path, tmp_path: Path) -> None:
    gaps = {"gender": [], "age": [], "annotations_continuous": {"valence": [], "arousal": 2.0, "dominance": math.nan}}
    dataset = EmoticDataset(str(golden_emotic), "train", annotations=str(save_mat(tmp_path, gaps)))
    assert dataset.record(0)["annotations"][0]["extra"]["continuous"] == [None, 2.0, None]


def test_person_without_labels_is_dropped(golden_emotic: Path, tmp_path: Path) -> None:
    path = save_mat(tmp_path, {"annotations_categories": {"categories": []}})
    with pytest.raises(UserError, match=r"no usable image in .*mine\.mat .*no emotion label: 1"):
        EmoticDataset(str(golden_emotic), "train", annotations=str(path))


def test_broken_mat_files_are_named(golden_emotic: Path, tmp_path: Path) -> None:
    path = tmp_path / "broken.mat"
    path.write_bytes((golden_emotic / "Annotations" / "Annotations.mat").read_bytes()[:2000])
    with pytest.raises(UserError, match=r"broken\.mat is not a readable MATLAB file"):
        EmoticDataset(str(golden_emotic), "train", annotations=str(path))
    savemat(path, {"other": 1})
    with pytest.raises(UserError, match=r"broken\.mat has no variable 'train'"):
        EmoticDataset(str(golden_emotic), "train", annotations=str(path))
    save_mat(tmp_path, {"body_bbox": [1.0, 2.0]})
    with pytest.raises(
        UserError, match=r"mine\.mat, train image 1 cannot be read: body_bbox has 2 numbers, expected x1"
    ):
        EmoticDataset(str(golden_emotic), "train", annotations=str(tmp_path / "mine.mat"))
    savemat(tmp_path / "mine.mat", {"train": [1.0, 2.0]})
    with pytest.raises(UserError, match=r"mine\.mat, train image 1 cannot be read\. Expected a struct with filename"):
        EmoticDataset(str(golden_emotic), "train", annotations=str(tmp_path / "mine.mat"))


def plain_mat(path: Path, compressed: bool) -> None:
    person = {"body_bbox": [1.0, 2.0, 3.0, 4.0], "annotations_categories": {"categories": ["Peace"]}}
    entry = {"filename": "a.jpg", "folder": "mscoco/images", "image_size": {"n_col": 4.0, "n_row": 5.0}}
    savemat(path, {"train": [{**entry, "person": [person]}] * 5}, do_compression=compressed)


@pytest.mark.parametrize(
    ("at", "byte"), [(625, 4), (707, 8), (1017, 1), (1429, 16), (2256, 41), (2953, 64), (3168, 73), (3169, 16)]
)
def test_no_damaged_mat_file_ends_the_process(at: int, byte: int, tmp_path: Path) -> None:
    """Single bytes with which scipy's reader died of a segmentation fault, most of the times."""
    path = tmp_path / "damaged.mat"
    plain_mat(path, compressed=False)
    content = bytearray(path.read_bytes())
    assert content[at] != byte
    content[at] = byte
    path.write_bytes(content)
    with suppress(Exception):  # of many kinds; that we are still there is the point
        mat_variable.read(path, "train")


def test_damage_of_a_compressed_mat_file_is_found_by_its_checksum(tmp_path: Path) -> None:
    """So only such files are read by this process."""
    path = tmp_path / "damaged.mat"
    plain_mat(path, compressed=True)
    content = path.read_bytes()
    assert mat_variable.has_checksums(path)
    for at in range(128, len(content), 7):
        path.write_bytes(content[:at] + bytes((content[at] ^ 4,)) + content[at + 1 :])
        if mat_variable.has_checksums(path):
            with pytest.raises(Exception, match=r"Error -[35] while decompressing|Unknown mat file|invalid"):
                mat_variable.read(path, "train")


@pytest.mark.parametrize("compressed", [False, True])
def test_both_kinds_of_mat_files_hold_the_same(compressed: bool, tmp_path: Path) -> None:
    plain_mat(tmp_path / "a.mat", compressed)
    assert mat_variable.has_checksums(tmp_path / "a.mat") is compressed
    entries = mat_variable.read(tmp_path / "a.mat", "train")["train"]
    assert [str(entry["filename"]) for entry in entries] == ["a.jpg"] * 5
    assert "train" not in mat_variable.read(tmp_path / "a.mat", "val")


def test_broken_json_files_are_named(golden_emotic: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    image = {"id": 1, "file_name": "mscoco/images/tiny_000001.jpg", "width": 64, "height": 48}
    box = {"id": 9, "image_id": 1, "bbox": [1, 2, 3, 4], "category_id": 512}
    cases: list[tuple[Any, str]] = [
        ([], "Got a list"),
        ({"images": [image]}, "list under 'annotations'. Its keys are: images"),
        ({"images": [{"id": 3}], "annotations": []}, "image 3 has no 'file_name'"),
        ({"images": [image], "annotations": [{**box, "image_id": 2}]}, "annotation 9: image_id 2 is not among"),
        (
            {"images": [image], "annotations": [{**box, "category_id": 2**26}]},
            "annotation 9: 'category_id' expects a whole number of 26 bits",
        ),
        (
            {"images": [image], "annotations": [{**box, "bbox": [1, 2]}]},
            "annotation 9: 'bbox' expects a box of four numbers",
        ),
        (
            {"images": [image], "annotations": [{**box, "bbox": None}]},
            "annotation 9: 'bbox' expects a box of four numbers, x, y, width and height. Got null",
        ),
        ({"images": [], "annotations": []}, "no usable image in"),
    ]
    for content, message in cases:
        path.write_text(json.dumps(content))
        with pytest.raises(UserError) as caught:
            EmoticDataset(str(golden_emotic), "train", annotations=str(path))
        assert str(path) in str(caught.value)
        assert message in str(caught.value)
    path.write_text('{"images": [')
    with pytest.raises(UserError, match="not a complete JSON file"):
        EmoticDataset(str(golden_emotic), "train", annotations=str(path))


def test_missing_images_stop_or_are_counted(make_emotic: Callable[..., Path]) -> None:
    root = make_emotic(images=3)
    (root / "emotic/mscoco/images/0002.jpg").unlink()
    with pytest.raises(UserError, match=r"1 of the 3 images .*0002\.jpg.*on_error=\"skip\""):
        EmoticDataset(str(root), "train")
    dataset = EmoticDataset(str(root), "train", on_error="skip")
    assert [dataset.record(i)["image_id"] for i in range(len(dataset))] == [1, 3]
    report = dataset.report
    assert report.counts == {"missing_images": 1}
    assert (report.listed_images, report.listed_people, report.lost_images) == (3, 6, 1)
    assert (report.images, report.people) == (2, 4)
    assert report.to_dict()["listed_images"] == 3


def test_absent_data_says_what_to_do(tmp_path: Path) -> None:
    for root in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(UserError) as caught:
            EmoticDataset(str(root), "test")
        message = str(caught.value)
        assert str(root) in message
        assert "form linked from github.com/rkosti/emotic" in message
        assert "data generate --format emotic" in message
    assert "Annotations.mat (body boxes)" in message
    assert "emotic_test_bi.json (head boxes)" in message
    (tmp_path / "emotic_test_bi.json").write_text("{}")
    with pytest.raises(UserError, match="no images under"):
        EmoticDataset(str(tmp_path), "test")


def test_arguments_are_checked(golden_emotic: Path) -> None:
    with pytest.raises(UserError, match=r"EmoticDataset\(split=\) expects one of train, val, test. Got 'dev'"):
        EmoticDataset(str(golden_emotic), "dev")
    with pytest.raises(UserError, match=r"EmoticDataset\(boxes=\) expects .* Got 'face'"):
        EmoticDataset(str(golden_emotic), "test", boxes="face")
    with pytest.raises(UserError, match=r"EmoticDataset\(on_error=\) expects 'raise' or 'skip'. Got 'ignore'"):
        EmoticDataset(str(golden_emotic), "test", on_error="ignore")
