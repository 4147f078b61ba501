"""The data set: same bytes everywhere, unrelated splits, records that agree with the pixels."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from dsct_detrex.data import EmotionDataset
from dsct_detrex.data.synthetic import SyntheticScenes, table
from dsct_detrex.errors import UserError

FINGERPRINT = """
import hashlib, random, numpy as np
from dsct_detrex.data.synthetic import SyntheticScenes
np.random.seed(1); random.seed(1)
data = SyntheticScenes("emotic", "val", 40, seed=3)
pieces = [data.load_image(i).tobytes() + repr(data.record(i)).encode() for i in (31, 0, 17)]
print(hashlib.sha256(b"".join(pieces)).hexdigest())
"""


def test_same_bytes_in_another_process_and_in_any_order() -> None:
    data = SyntheticScenes("emotic", "val", 40, seed=3)
    pieces = {i: data.load_image(i).tobytes() + repr(data.record(i)).encode() for i in (0, 17, 31)}
    here = hashlib.sha256(b"".join(pieces[i] for i in (31, 0, 17))).hexdigest()
    there = subprocess.run([sys.executable, "-c", FINGERPRINT], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == here
    assert SyntheticScenes("emotic", "val", 100, seed=3).load_image(17).tobytes() == data.load_image(17).tobytes()


def test_splits_and_seeds_share_no_scene() -> None:
    def pictures(split: str, seed: int) -> set[str]:
        data = SyntheticScenes("caer_s", split, 60, seed)
        return {hashlib.sha256(data.load_image(i).tobytes()).hexdigest() for i in range(60)}

    groups = [pictures("train", 0), pictures("val", 0), pictures("test", 0), pictures("train", 1)]
    assert len(set.union(*groups)) == 4 * 60


@pytest.mark.parametrize("format", ["caer_s", "emotic"])
@pytest.mark.parametrize("boxes", ["head", "body"])
def test_records_keep_the_contract(format: str, boxes: str) -> None:
    data = SyntheticScenes(format, "train", 200, boxes=boxes, size=(160, 120))
    assert isinstance(data, EmotionDataset)
    assert data.name == f"synthetic_{format}_train"
    assert boxes in data.description
    counts = set()
    for i in range(len(data)):
        record = data.record(i)
        assert record["file_name"] == f"synthetic/{format}/train/{i:06d}.png"
        assert (record["image_id"], record["width"], record["height"]) == (i + 1, 160, 120)
        counts.add(len(record["annotations"]))
        data.emotions.encode([person["labels"] for person in record["annotations"]])
        for person in record["annotations"]:
            x0, y0, x1, y1 = person["bbox"]
            assert 0 <= x0 < x1 <= 160
            assert 0 <= y0 < y1 <= 120
            assert person["bbox"] == person["extra"][boxes]
            assert person["labels"] == sorted(set(person["labels"]))
            assert person["labels"]
    assert counts == {1, 2, 3, 4, 5}


def test_record_says_what_the_picture_shows() -> None:
    """The picture of record i has the record's size, and its head boxes hold the skin of the drawn people."""
    data = SyntheticScenes("caer_s", "train", 40)
    for i in range(len(data)):
        record, scene, picture = data.record(i), data.scene(i), data.load_image(i)
        assert picture.mode == "RGB"
        assert picture.size == (record["width"], record["height"])
        for person, drawn in zip(record["annotations"], scene.people):
            assert person["extra"]["cues"]["expression"] == table.EXPRESSIONS[drawn.latents.expression]
            assert person["extra"]["cues"]["place"] == scene.place
            assert skin_share(picture, person["bbox"], drawn.look.skin, scene.light) > 0.15


def skin_share(picture: Image.Image, box: list[float], skin: float, light: str) -> float:
    from dsct_detrex.data.synthetic.drawing.palette import PEOPLE, SKINS, choose

    expected = np.array(choose(SKINS, skin)) * PEOPLE[light]
    pixels = np.asarray(picture.crop(tuple(round(side) for side in box))).astype(float)  # type: ignore[arg-type]
    return float((abs(pixels - expected).max(-1) < 6).mean())


def test_both_formats_describe_the_same_pictures() -> None:
    caer, emotic = SyntheticScenes("caer_s", "test", 8), SyntheticScenes("emotic", "test", 8)
    for i in range(8):
        assert caer.load_image(i).tobytes() == emotic.load_image(i).tobytes()
        assert [p["bbox"] for p in caer.record(i)["annotations"]] == [
            p["bbox"] for p in emotic.record(i)["annotations"]
        ]


def test_a_record_costs_no_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("record() drew a picture")

    monkeypatch.setattr("dsct_detrex.data.synthetic.dataset.paint_scene", refuse)
    SyntheticScenes("emotic", "train", 5).record(4)


@pytest.mark.parametrize("most", [1, 3])
def test_max_people(most: int) -> None:
    data = SyntheticScenes("caer_s", "train", 60, max_people=most)
    assert max(len(data.record(i)["annotations"]) for i in range(60)) == most


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"format": "coco"}, "SyntheticScenes(format=) expects 'caer_s' or 'emotic'. Got 'coco'."),
        ({"split": "dev"}, "SyntheticScenes(split=) expects one of train, val, test. Got 'dev'."),
        ({"length": 0}, "SyntheticScenes(length=) expects a number of at least 1. Got 0."),
        ({"seed": -1}, "SyntheticScenes(seed=) expects a number of at least 0. Got -1."),
        ({"size": (192, 20)}, "SyntheticScenes(size=) expects (width, height), each >= 32. Got (192, 20)."),
        ({"max_people": 6}, "SyntheticScenes(max_people=) expects 1 to 5. Got 6."),
        ({"boxes": "face"}, "SyntheticScenes(boxes=) expects 'head' or 'body'. Got 'face'."),
    ],
)
def test_wrong_arguments_are_explained(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(UserError) as error:
        SyntheticScenes(**arguments)  # type: ignore[arg-type]
    assert str(error.value) == message


def test_no_image_beyond_the_end() -> None:
    with pytest.raises(IndexError, match="synthetic_caer_s_train of 3 images has no image 3"):
        SyntheticScenes("caer_s", "train", 3).record(3)
