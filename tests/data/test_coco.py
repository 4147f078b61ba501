"""One EMOTIC picture as COCO JSON in the many shapes that exporters write: the right value, or one sentence."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dsct_detrex.baselines.boxes import DetectedBoxes
from dsct_detrex.data import DatasetMapper, EmoticDataset, eval_transforms
from dsct_detrex.errors import UserError
from dsct_detrex.structures import EMOTIC

SIZE = (192, 144)
HAPPINESS = 1 << 9
BOX = [30.0, 20.0, 90.0, 90.0]
NAMED = [{"id": index, "name": name} for index, name in enumerate(EMOTIC.names)]
Read = Callable[..., EmoticDataset]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("emotic")
    for source, names in {
        "mscoco": ("a.jpg", "b.jpg", "with space é.jpg", "UPPER.JPG", unicodedata.normalize("NFD", "fête.jpg")),
        "framesdb": ("b.jpg", "only.jpg"),
    }.items():
        (root / "emotic" / source / "images").mkdir(parents=True)
        for name in names:
            Image.new("RGB", SIZE, (90, 60, 60)).save(root / "emotic" / source / "images" / name)
    return root


@pytest.fixture
def read(root: Path) -> Read:
    def read(content: Any, **options: Any) -> EmoticDataset:
        path = root / "mine.json"
        path.write_text(json.dumps(content))
        return EmoticDataset(str(root), "test", annotations=str(path), **options)

    return read


def image(id: Any = 1, name: str = "mscoco/images/a.jpg", **fields: Any) -> dict[str, Any]:
    return {"id": id, "file_name": name, "width": SIZE[0], "height": SIZE[1], **fields}


def person(**fields: Any) -> dict[str, Any]:
    return {"id": 1, "image_id": 1, "category_id": HAPPINESS, "bbox": [30, 20, 60, 70], **fields}


def without(entry: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name not in names}


def one(entry: dict[str, Any], picture: dict[str, Any] | None = None, **top: Any) -> dict[str, Any]:
    return {"images": [picture or image()], "annotations": [entry], **top}


def labels(dataset: EmoticDataset, index: int = 0) -> list[list[str]]:
    return [[EMOTIC.names[label] for label in p["labels"]] for p in dataset.record(index)["annotations"]]


def sentence(read: Read, content: Any, **options: Any) -> str:
    with pytest.raises(UserError) as caught:
        read(content, **options)
    for word in ("NoneType", "int()", "unpack", "float:", "Traceback", "subscriptable", "invalid literal"):
        assert word not in str(caught.value)
    return str(caught.value)


RIGHT = {
    "plain": one(person()),
    "no area, no iscrowd": one(without(person(area=4200, iscrowd=0), "area", "iscrowd")),
    "iscrowd text": one(person(iscrowd="0")),
    "iscrowd null": one(person(iscrowd=None)),
    "iscrowd false": one(person(iscrowd=False)),
    "numbers as text": one(person(bbox=["30", "20", "60", "70"])),
    "mask as text": one(person(category_id=str(HAPPINESS))),
    "mask as float": one(person(category_id=float(HAPPINESS))),
    "categories null": one(person(), categories=None),
    "official categories, mask": one(person(), categories=NAMED),
    "official categories, other order in the file, mask": one(person(), categories=NAMED[::-1]),
    "official categories, id": one(person(category_id=16), categories=NAMED),
    "ids from 1": one(person(category_id=17), categories=[{**each, "id": each["id"] + 1} for each in NAMED]),
    "any order": one(person(category_id=3), categories=[{"id": 7, "name": "Fear"}, {"id": 3, "name": "happiness"}]),
    "text ids": one(person(category_id="h"), categories=[{"id": "h", "name": "Happiness"}]),
    "name as category": one(person(category_id="Happiness")),
    "no size": one(person(), without(image(), "width", "height")),
    "size null": one(person(), image(width=None, height=None)),
    "size zero": one(person(), image(width=0, height=0)),
    "size text": one(person(), image(width="192", height="144")),
    "size float": one(person(), image(width=192.0, height=144.0)),
    "dot slash": one(person(), image(name="./mscoco/images/a.jpg")),
    "backslash": one(person(), image(name="mscoco\\images\\a.jpg")),
    "prefix": one(person(), image(name="emotic/mscoco/images/a.jpg")),
    "absolute": one(person(), image(name="/data/emotic/mscoco/images/a.jpg")),
    "space and accent": one(person(), image(name="mscoco/images/with space é.jpg")),
    "image id text": one(person(image_id="1")),
}


@pytest.mark.parametrize("content", RIGHT.values(), ids=list(RIGHT))
def test_right_value(content: dict[str, Any], read: Read) -> None:
    dataset = read(content)
    assert [p["bbox"] for p in dataset.record(0)["annotations"]] == [BOX]
    assert labels(dataset) == [["Happiness"]]
    assert dataset.report.counts == {}
    assert (dataset.load_image(0).size, dataset.boxes) == (SIZE, "unstated")


@pytest.mark.parametrize(
    "name",
    ["a.jpg", "images/a.jpg", "only.jpg", "MSCOCO/images/a.jpg", "mscoco/images/upper.jpg", "mscoco/images/fête.jpg",
     "mscoco/images/with%20space%20%C3%A9.jpg", "C:\\emotic\\mscoco\\images\\A.JPG"],
)  # fmt: skip
def test_names_spelt_in_another_way_are_found_and_counted(name: str, read: Read) -> None:
    dataset = read(one(person(), image(name=name)))
    assert dataset.load_image(0).size == SIZE
    assert dataset.report.counts == {"respelled_names": 1}


WRONG: dict[str, tuple[Any, str]] = {
    "nothing": ([], "Got a list"),
    "lists of dicts": ({"images": {"1": {}}, "annotations": {}}, "list under 'images'. Got an object there"),
    "no annotations": ({"images": [image()], "categories": []}, "'annotations'. Its keys are: images, categories"),
    "image null": ({"images": [None], "annotations": []}, "image number 1 expects an object"),
    "bbox null": (one(person(bbox=None)), "annotation 1: 'bbox' expects a box of four numbers"),
    "bbox empty": (one(person(bbox=[])), "Got []."),
    "bbox with score": (one(person(bbox=[30, 20, 60, 70, 0.9])), "Got [30, 20, 60, 70, 0.9]."),
    "bbox dict": (one(person(bbox={"x": 30})), 'Got {"x": 30}.'),
    "no bbox": (one(without(person(), "bbox")), "annotation 1 has no 'bbox'"),
    "bbox nan": (one(person(bbox=[float("nan"), 2, 3, 4])), "box with NaN or infinite numbers: 1"),
    "bbox without area": (one(person(bbox=[3, 3, 0, 9])), "box without area inside the image: 1"),
    "bbox negative": (one(person(bbox=[90, 90, -60, -70])), "1 of 1 boxes have a negative size, e.g. [90, 90"),
    "bbox relative": (one(person(bbox=[0.16, 0.14, 0.31, 0.49])), "1 of 1 boxes are fractions of the picture"),
    "bbox xyxy by its area": (one(person(bbox=[30, 20, 90, 90], area=4200)), "x1, y1, x2, y2, not x, y, width, height"),
    "bbox xyxy": (one(person(bbox=[110, 24, 160, 114])), "Say what they are with box_format=xyxy"),
    "crowd": (one(person(iscrowd=1, segmentation={"counts": [10]})), "marked as a crowd: 1"),
    "crowd odd": (one(person(iscrowd="maybe")), "'iscrowd' expects 0 or 1, true or false. Got \"maybe\""),
    "mask list": (one(person(category_id=[16, 18])), "'category_id' expects a whole number of 26 bits"),
    "mask fraction": (one(person(category_id=512.5)), "one bit per category. Got 512.5."),
    "mask null": (one(person(category_id=None)), "one bit per category. Got null."),
    "mask bool": (one(person(category_id=True)), "one bit per category. Got true."),
    "mask negative": (one(person(category_id=-1)), "one bit per category. Got -1."),
    "mask too big": (one(person(category_id=1 << 26)), "Got 67108864."),
    "mask of bits": (one(person(category_id="0" * 16 + "1" + "0" * 9)), "expects a whole number of 26 bits"),
    "plain id": (one(person(category_id=17)), "no label number above 17 and no 'categories'"),
    "zero": (one(person(category_id=0)), "no label number above 0 and no 'categories'"),
    "no category": (one(without(person(), "category_id")), "annotation 1 has no 'category_id'"),
    "only person": (one(person(category_id=1), categories=[{"id": 1, "name": "person"}]), "its labels are 'person'"),
    "person among emotions": (
        one(person(category_id=0), categories=[{"id": 0, "name": "person"}, {"id": 1, "name": "Fear"}]),
        "its labels are 'person'",
    ),
    "id unknown": (one(person(category_id=5), categories=[{"id": 1, "name": "Fear"}]), "categories (1 Fear). Got 5."),
    "mask beside another order": (
        one(person(), categories=[{"id": index, "name": name} for index, name in enumerate(EMOTIC.names[::-1])]),
        "Got 512.",
    ),
    "id given twice": (
        one(person(), categories=[{"id": 1, "name": "Fear"}, {"id": 1, "name": "Pain"}]),
        "category id 1 is both 'Fear' and 'Pain'",
    ),
    "categories as object": (one(person(), categories={"1": "Fear"}), "under 'categories'. Got an object."),
    "category null": (one(person(), categories=[None]), "category number 1 expects an object"),
    "image id fraction": (one(person(), image(id=1.5)), "'id' expects a whole number or a text as id. Got 1.5."),
    "unknown image": (one(person(image_id=2)), "image_id 2 is not among the images of the file"),
    "name null": (one(person(), {**image(), "file_name": None}), "'file_name' expects the name of a picture."),
    "name of two": (one(person(), image(name="b.jpg")), "file_name 'b.jpg' fits"),
    "name nearly": (one(person(), image(name="mscoco/images/aa.jpg")), "Did you mean `a.jpg`"),
    "name of a folder": (one(person(), image(name="mscoco/images")), "1 of the 1 images"),
    "name in another source": (one(person(), image(name="framesdb/images/a.jpg")), "1 of the 1 images"),
    "size fraction": (one(person(), image(width=1.5)), "'width' expects the picture's size in whole pixels. Got 1.5."),
    "size swapped": (one(person(), image(width=144, height=192)), "Width and height are swapped"),
    "size of resized": (one(person(), image(width=640, height=480)), "pictures resized by 3.33"),
    "size halved": (one(person(), image(width=96, height=72)), "pictures resized by 0.5"),
    "size of another": (one(person(), image(width=99, height=144)), "Use the pictures that were annotated"),
    "kind odd": (one(person(), info={"boxes": "face"}), "says 'boxes' are \"face\""),
}  # fmt: skip


@pytest.mark.parametrize(("content", "part"), WRONG.values(), ids=list(WRONG))
def test_one_sentence(content: Any, part: str, read: Read, root: Path) -> None:
    message = sentence(read, content)
    assert part in message
    assert "mine.json" in message


PERSON_ONLY = [{"id": 1, "name": "person"}]


@pytest.mark.parametrize(
    "fields",
    [
        {"annotations_categories": ["Peace", "Doubt/Confusion"]},
        {"annotations_categories": [{"categories": ["Peace"]}, {"categories": ["doubt_confusion", "Peace"]}]},
        {"combined_categories": "peace, Doubt/Confusion", "annotations_categories": [["Fear"]]},
        {"emotions": "Peace;doubt confusion"},
        {"labels": ["PEACE", "Doubt/Confussion"]},
        {"attributes": {"emotions": ["Peace", "Doubt/Confusion"], "age": "Adult"}},
        {"attributes": {"Peace": True, "Doubt/Confusion": 1, "Fear": False, "occluded": True}},
        {"attributes": {"Peace": "True", "Doubt/Confusion": "yes", "Fear": "False", "Pain": None, "Anger": 0}},
        {"attributes": {"Emotion": "Peace", "occluded": False, "Emotion 2": "Doubt/Confusion"}},
        {"tags": [{"name": "Peace"}, {"name": "Doubt/Confusion"}]},
    ],
)
def test_names_per_person(fields: dict[str, Any], read: Read) -> None:
    dataset = read(one(person(category_id=1, **fields), categories=PERSON_ONLY))
    assert labels(dataset) == [["Doubt/Confusion", "Peace"]]


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"emotions": ["Joyful"]}, "'emotions' expects emotions of emotic (Affection, Anger"),
        ({"labels": ["Peace", "person"]}, "'labels' expects emotions of emotic"),
        ({"annotations_categories": [0] * 25 + [1]}, "a row of 0 and 1 does not say which emotion"),
        ({"labels": ["person"]}, "its labels are 'person'"),
        ({"emotions": {"Peace": 1, "Happiness": 2}}, "'emotions' expects yes or no for every emotion"),
        ({"emotion": {"Peace": 0.9, "Happiness": 0.1}}, "'emotion' expects yes or no for every emotion"),
        ({"attributes": {"Peace": True, "Happiness": "maybe"}}, "'attributes' expects yes or no for every emotion"),
    ],
)
def test_names_that_are_no_emotions(fields: dict[str, Any], part: str, read: Read) -> None:
    assert part in sentence(read, one(person(category_id=1, **fields), categories=PERSON_ONLY))


def test_a_person_whose_names_are_missing_is_dropped(read: Read) -> None:
    people = [person(category_id=1, emotions=["Fear"]), person(category_id=1, bbox=[1, 1, 9, 9], emotions=[])]
    dataset = read({"images": [image()], "annotations": people, "categories": PERSON_ONLY})
    assert (labels(dataset), dataset.report.counts) == ([["Fear"]], {"unlabelled_people": 1})


def test_lists_of_ids_where_categories_say_what_they_are(read: Read) -> None:
    assert labels(read(one(person(category_id=[16, 18]), categories=NAMED))) == [["Happiness", "Peace"]]
    entry = without(person(labels=[16, 18]), "category_id")
    assert labels(read(one(entry, categories=NAMED))) == [["Happiness", "Peace"]]


def test_one_annotation_per_category_is_one_person(read: Read) -> None:
    people = [
        person(category_id=16),
        person(category_id=18),
        person(category_id=18),
        person(category_id=0, bbox=[1, 1, 9, 9]),
    ]
    dataset = read({"images": [image()], "annotations": people, "categories": NAMED})
    assert labels(dataset) == [["Happiness", "Peace"], ["Affection"]]
    assert dataset.report.counts == {"joined_annotations": 1, "repeated_people": 1}


def test_masks_beside_the_official_categories_need_a_majority(read: Read) -> None:
    people = [person(category_id=number, bbox=[number, 1, 9, 9]) for number in (1, 2, 30)]
    message = sentence(read, {"images": [image()], "annotations": people, "categories": NAMED})
    assert "Got 30." in message


def test_a_file_of_small_numbers_says_nothing(read: Read, root: Path) -> None:
    """Ten people with masks up to 26 do not exist in EMOTIC: also under an official name these are plain ids."""
    people = [person(category_id=number, bbox=[number, 1, 9, 9]) for number in range(1, 27)]
    content = {"images": [image()], "annotations": people, "categories": []}
    assert "no label number above 26" in sentence(read, content)
    for count, works in ((9, True), (10, False)):
        path = root / "emotic_test_bi.json"
        path.write_text(json.dumps({**content, "annotations": people[:count]}))
        if works:
            assert EmoticDataset(str(root), "test", annotations=str(path)).report.people == 9
        else:
            with pytest.raises(UserError, match="no label number above 10"):
                EmoticDataset(str(root), "test", annotations=str(path))
        path.unlink()


def test_repeated_people_are_kept_once_and_reported(read: Read) -> None:
    people = [person(), person(id=2), person(id=3, category_id=1), person(id=4, bbox=[1, 1, 9, 9])]
    dataset = read({"images": [image()], "annotations": people})
    assert labels(dataset) == [["Happiness"], ["Yearning"], ["Happiness"]]
    assert dataset.report.counts == {"repeated_people": 1, "shared_boxes": 1}
    assert (dataset.report.listed_people, dataset.report.people) == (4, 3)


def test_text_ids_are_not_numbers(read: Read, tmp_path: Path) -> None:
    pictures = [image("007", "mscoco/images/a.jpg"), image(7, "mscoco/images/b.jpg"), image("1_23", "only.jpg")]
    people = [person(image_id=id, bbox=[side, side, 20, 20]) for id, side in (("007", 1), (7, 2), ("1_23", 3))]
    dataset = read({"images": pictures, "annotations": people})
    records = [dataset.record(index) for index in range(3)]
    assert [(r["image_id"], r.get("source_id")) for r in records] == [(8, "007"), (7, None), (9, "1_23")]
    assert [r["annotations"][0]["bbox"][0] for r in records] == [1, 2, 3]
    rows = [{"image_id": id, "bbox": [1, 2, 3, 4], "score": 0.9} for id in ("007", 7)]
    (tmp_path / "found.json").write_text(json.dumps([*rows, {**rows[0], "bbox": [5, 5, 1, 1]}]))
    mapper, detected = (
        DatasetMapper(eval_transforms(64, 64), EMOTIC, False),
        DetectedBoxes(str(tmp_path / "found.json")),
    )
    assert [len(detected(mapper(r, dataset.load_image(i))).boxes) for i, r in enumerate(records)] == [2, 1, 0]


def test_a_repeated_image_id_names_both_files(read: Read) -> None:
    pictures = [image(7, "mscoco/images/a.jpg"), image("7", "mscoco/images/b.jpg")]
    message = sentence(read, {"images": pictures, "annotations": []})
    for part in ("gives the image id", "7", "mscoco/images/a.jpg", "mscoco/images/b.jpg"):
        assert part in message


def test_an_image_entry_per_person_is_one_image(read: Read) -> None:
    people = [person(), person(image_id=2, bbox=[1, 1, 9, 9])]
    dataset = read({"images": [image(1), image(2)], "annotations": people})
    assert (len(dataset), len(labels(dataset)), dataset.report.counts) == (1, 2, {"repeated_images": 1})
    assert "twice with different sizes" in sentence(
        read, {"images": [image(1), image(2, width=9)], "annotations": people}
    )


def test_the_file_may_say_which_boxes_it_has(read: Read) -> None:
    both = without(person(head_bbox=[40, 22, 9, 9], body_bbox=[30, 20, 60, 70]), "bbox")
    assert "Say which is meant with boxes=head or boxes=body" in sentence(read, one(both))
    assert read(one(both), boxes="head").record(0)["annotations"][0]["bbox"] == [40, 22, 49, 31]
    assert read(one(both), boxes="body").record(0)["annotations"][0]["bbox"] == BOX
    assert read(one(without(both, "head_bbox"))).boxes == "body"
    said = one(person(), info={"boxes": "head"})
    assert read(said).description == "head boxes from mine.json"
    assert "has head boxes, and boxes=body asks for the others" in sentence(read, said, boxes="body")
