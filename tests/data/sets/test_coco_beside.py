"""Files of objects joined to pictures whose people other files annotate."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from dsct_detrex.data import DatasetMapper, EmoticDataset, eval_transforms, train_transforms
from dsct_detrex.data.sets.coco import CocoDataset
from dsct_detrex.data.sets.coco.beside import object_classes_of_files, with_things
from dsct_detrex.data.transforms import crop, mirrored
from dsct_detrex.errors import UserError
from dsct_detrex.structures import CAER_S, ObjectClasses

TOYS = [{"id": 7, "name": "person"}, {"id": 3, "name": "kite"}]
CLASSES = ObjectClasses("objects", ("person", "kite"))


def objects_file(path: Path, *images: tuple[str, int, int], things: int = 2, categories: Any = TOYS) -> Path:
    """Every picture has ``things`` kites of 20 x 10 pixels, a crowd, and a person that reaches out of it."""
    annotations = [
        {"image_id": number, "category_id": category, "bbox": box, "iscrowd": crowd}
        for number, (_, width, height) in enumerate(images)
        for category, box, crowd in [
            *[(3, [1.0 + one, 2.0, 20.0, 10.0], 0) for one in range(things)],
            (3, [0.0, 0.0, 9.0, 9.0], 1),
            (7, [width - 10.0, height - 20.0, 12.0, 21.0], 0),
        ]
    ]
    listed = [{"id": n, "file_name": name, "width": w, "height": h} for n, (name, w, h) in enumerate(images)]
    path.write_text(json.dumps({"images": listed, "annotations": annotations, "categories": categories}))
    return path


def record(name: str) -> Any:
    return {"file_name": f"/data/{name}", "image_id": 1, "height": 40, "width": 60, "annotations": []}


def test_names_of_2014_and_2017_are_one_picture(tmp_path: Path) -> None:
    file = objects_file(tmp_path / "o.json", ("train2017/000000000042.jpg", 60, 40), ("other.jpg", 1, 1))
    records = [record("COCO_val2014_000000000042.jpg"), record("framesdb.jpg")]
    joined, words = with_things(records, str(tmp_path), "o.json", None)
    assert words == "things of 1 of 2 pictures from o.json"
    assert joined[0]["objects"] == [
        {"bbox": [1.0, 2.0, 21.0, 12.0], "labels": [1]},
        {"bbox": [2.0, 2.0, 22.0, 12.0], "labels": [1]},
        {"bbox": [50.0, 20.0, 60.0, 40.0], "labels": [0]},
    ]
    assert joined[1]["objects"] is None, "nobody annotated it, which is not an empty list"
    assert "objects" not in records[0]
    assert object_classes_of_files(str(tmp_path), str(file)) == CLASSES
    assert object_classes_of_files(str(tmp_path), None) is None
    assert with_things(records, str(tmp_path), None, None) == (records, "")
    more = objects_file(tmp_path / "p.json", ("framesdb.jpg", 60, 40), things=0)
    joined, words = with_things(records, str(tmp_path), [str(file), str(more)], CLASSES)
    assert [len(one["objects"] or ()) for one in joined] == [3, 1]
    assert words.endswith("things of 2 of 2 pictures from o.json, p.json")


def test_refusals(tmp_path: Path) -> None:
    objects_file(tmp_path / "o.json", ("a.jpg", 60, 41))
    with pytest.raises(
        UserError, match=r"a\.jpg has 60 x 40 pixels, and the file of objects says 60 x 41: it is another"
    ):
        with_things([record("a.jpg")], str(tmp_path), "o.json", None)
    with pytest.raises(
        UserError, match=r"o\.json lists none of the 1 picture \(b\.jpg, \.\.\.\): nothing is annotated"
    ):
        with_things([record("b.jpg")], str(tmp_path), "o.json", None)
    with pytest.raises(UserError, match=r"o\.json .*kite"):
        with_things([record("a.jpg")], str(tmp_path), "o.json", ObjectClasses("other", ("person", "ball")))
    objects_file(tmp_path / "bare.json", ("a.jpg", 60, 40), categories=[])
    with pytest.raises(UserError, match=r"bare\.json has no 'categories'"):
        object_classes_of_files(str(tmp_path), "bare.json")
    with pytest.raises(UserError, match=r"data\.objects.*gone\.json is not there"):
        object_classes_of_files(str(tmp_path), "gone.json")


def test_emotic_and_coco_style_data_sets_have_them(make_emotic: Callable[..., Path], tmp_path: Path) -> None:
    plain = EmoticDataset(str(make_emotic()), "train")
    first = plain.record(0)
    name = Path(first["file_name"]).name
    file = objects_file(tmp_path / "o.json", (name, first["width"], first["height"]))
    dataset = EmoticDataset(str(make_emotic()), "train", objects=str(file), object_classes=CLASSES)
    assert dataset.description.startswith(plain.description + ", things of 1 of ")
    assert len(dataset.record(0)["objects"] or ()) == 3
    assert {**dataset.record(0), "objects": 0} == {**first, "objects": 0}
    assert "objects" not in first
    people = tmp_path / "mine"
    (people / "train").mkdir(parents=True)
    Image.new("RGB", (60, 40)).save(people / "train/a.jpg")
    said = {"id": 0, "image_id": 0, "bbox": [1, 1, 9, 9], "emotions": ["calm"]}
    image = {"id": 0, "file_name": "a.jpg", "width": 60, "height": 40}
    more = {"id": 1, "image_id": 0, "bbox": [2, 1, 9, 9], "emotions": ["tense"]}
    (people / "train.json").write_text(json.dumps({"images": [image], "annotations": [said, more]}))
    file = objects_file(tmp_path / "q.json", ("a.jpg", 60, 40))
    assert len(CocoDataset(str(people), "train", objects=str(file)).record(0)["objects"] or ()) == 3


BOXES = {"people": [[10.0, 5.0, 30.0, 35.0]], "things": [[0.0, 0.0, 6.0, 4.0], [40.0, 10.0, 60.0, 40.0]]}


@pytest.mark.parametrize(
    ("change", "people", "things"),
    [
        (lambda scene: scene, BOXES["people"], BOXES["things"]),
        (mirrored, [[30.0, 5.0, 50.0, 35.0]], [[54.0, 0.0, 60.0, 4.0], [0.0, 10.0, 20.0, 40.0]]),
        (lambda scene: crop(scene, 10, 8, 20, 40), [[2.0, 0.0, 22.0, 20.0]], [[32.0, 0.0, 40.0, 20.0]]),
        (lambda scene: crop(scene, 0, 0, 5, 8), [], [[0.0, 0.0, 6.0, 4.0]]),
        (eval_transforms(20, 100), [[5, 2.5, 15, 17.5]], [[0, 0, 3, 2], [20, 5, 30, 20]]),
        (train_transforms((20,), 100, flip=1.0, crop_probability=0.0), [[15, 2.5, 25, 17.5]],
         [[27, 0, 30, 2], [0, 5, 10, 20]]),
    ],
)  # fmt: skip
def test_every_transform_moves_people_and_things_alike(change: Any, people: Any, things: Any) -> None:
    mapper = DatasetMapper(change, CAER_S, is_train=True, objects=CLASSES)
    said = record("a.jpg")
    said["annotations"] = [{"bbox": box, "labels": [3]} for box in BOXES["people"]]
    said["objects"] = [{"bbox": box, "labels": [number]} for number, box in enumerate(BOXES["things"])]
    found = mapper(said, Image.new("RGB", (60, 40)))
    assert found["instances"].gt_boxes.tensor.tolist() == people
    assert found["objects"].gt_boxes.tensor.tolist() == things
    assert found["objects"].gt_classes.dtype == torch.int64
    assert found["objects"].gt_classes.tolist() == (
        [1] if things == [[32.0, 0.0, 40.0, 20.0]] else [0, 1][: len(things)]
    )
    assert found["instances"].image_size == found["objects"].image_size == tuple(found["image"].shape[1:])
    unknown = mapper({**said, "objects": None}, Image.new("RGB", (60, 40)))
    assert unknown["objects"] is None
    assert unknown["instances"].gt_boxes.tensor.tolist() == people
