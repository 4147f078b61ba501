"""The class folder of a CAER-S picture is its label: files that count the classes in another way are found."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from dsct_detrex.data import CaerSDataset
from dsct_detrex.data.checks import DataReport
from dsct_detrex.data.dataset import Record
from dsct_detrex.data.sets.caer_s.labels import compare_with_folders
from dsct_detrex.errors import UserError
from dsct_detrex.structures import CAER_S

NAMES = CAER_S.names
FER = ("Anger", "Disgust", "Fear", "Happy", "Sad", "Surprise", "Neutral")
AFFECTNET = ("Neutral", "Happy", "Sad", "Surprise", "Fear", "Disgust", "Anger")


def records(number_of: Callable[[str], int], times: int = 4, folders: Sequence[str] = NAMES) -> list[Record]:
    return [
        {
            "file_name": f"test/{folder}/{number}.png",
            "image_id": 1,
            "height": 9,
            "width": 9,
            "annotations": [{"bbox": [1, 1, 5, 5], "labels": [number_of(folder)]}],
        }
        for folder in folders
        for number in range(times)
    ]


def compare(listed: list[Record], named: bool = False) -> DataReport:
    report = DataReport("t")
    compare_with_folders(listed, Path("boxes.txt"), report, named)
    return report


@pytest.mark.parametrize(
    ("number_of", "times", "parts"),
    [
        (FER.index, 10, ("30 of 70 labels", "4 is Sad, 5 is Surprise, 6 is Neutral, which is FER-2013's order")),
        (FER.index, 1, ("3 of 7 labels", "FER-2013's order")),
        (AFFECTNET.index, 2, ("14 of 14 labels", "0 is Neutral, 1 is Happy", "AffectNet's order")),
        (lambda f: {"Sad": 6, "Surprise": 5}.get(f, NAMES.index(f)), 3, ("6 of 21 labels", "5 is Surprise, 6 is Sad.")),
        (lambda f: {"Sad": 4}.get(f, NAMES.index(f)), 3, ("3 of 21 labels", "4 is Sad.")),
        (lambda f: min(NAMES.index(f), 5), 4, ("4 of 28 labels", "5 is Surprise.")),
    ],
)
def test_another_order_is_named(number_of: Callable[[str], int], times: int, parts: tuple[str, ...]) -> None:
    with pytest.raises(UserError) as caught:
        compare(records(number_of, times))
    for part in (
        *parts,
        "boxes.txt",
        "Expected 0 Anger, 1 Disgust",
        "list the classes with their ids under 'categories'",
    ):
        assert part in str(caught.value)


def test_counting_from_1_is_named() -> None:
    with pytest.raises(
        UserError, match=r"12 of 12 labels .* 1 is Anger, 2 is Disgust, 3 is Fear, which is counting from 1"
    ):
        compare(records(lambda folder: NAMES.index(folder) + 1, folders=NAMES[:3]))


def test_one_class_alone_has_no_order() -> None:
    with pytest.raises(UserError, match=r"4 of 4 labels .*: 2 is Sad\. Expected 0 Anger"):
        compare(records(lambda folder: 2, folders=["Sad"]))


def test_names_that_contradict_are_called_by_name() -> None:
    with pytest.raises(UserError, match=r"contradict .*: Fear is Sad\. Correct them: the folder is the label\."):
        compare(records(lambda folder: 2, folders=["Sad"]), named=True)


@pytest.mark.parametrize("wrong", [1, 2, 4])
def test_single_contradictions_are_counted(wrong: int) -> None:
    listed = records(NAMES.index, 10)
    for record in listed[:wrong]:
        record["annotations"][0]["labels"] = [3]
    assert compare(listed).counts == {"label_differs_from_folder": wrong}


def test_pictures_outside_class_folders_cannot_be_compared() -> None:
    report = DataReport("t")
    assert compare_with_folders(records(lambda folder: 0, folders=["all"]), Path("a"), report, False) == 0
    assert report.counts == {}


@pytest.fixture
def read(golden_caer: Path, tmp_path: Path) -> Callable[..., CaerSDataset]:
    """A COCO file about the golden test pictures, whose category of a folder is ``number_of(folder)``."""

    def read(
        number_of: Callable[[str], Any], names: Sequence[str] | None, first: int = 0, **fields: Any
    ) -> CaerSDataset:
        images = [
            {"id": i, "file_name": f"test/{name}/0001.png", "width": 40, "height": 30} for i, name in enumerate(NAMES)
        ]
        people = [
            {"id": i, "image_id": i, "bbox": [1, 2, 9, 9], "category_id": number_of(name), **fields}
            for i, name in enumerate(NAMES)
        ]
        content: dict[str, Any] = {"images": images, "annotations": people}
        if names is not None:
            content["categories"] = [{"id": first + i, "name": name} for i, name in enumerate(names)]
        (tmp_path / "mine.json").write_text(json.dumps(content))
        return CaerSDataset(str(golden_caer), "test", annotations=str(tmp_path / "mine.json"))

    return read


@pytest.mark.parametrize(
    ("number_of", "names", "first"),
    [
        (NAMES.index, None, 0),
        (NAMES.index, [], 0),
        (lambda name: str(NAMES.index(name)), None, 0),
        (FER.index, FER, 0),
        (lambda name: NAMES.index(name) + 1, NAMES, 1),
        (lambda name: AFFECTNET.index(name) + 30, AFFECTNET, 30),
        (NAMES.index, ("angry", "DISGUSTED", "fearful", "Happiness", "neutral", "sadness", "surprised"), 0),
        (lambda name: name, None, 0),
        (lambda name: name.lower(), ["face"], 0),
    ],
)
def test_categories_decide(
    number_of: Callable[[str], Any], names: Sequence[str] | None, first: int, read: Callable[..., CaerSDataset]
) -> None:
    dataset = read(number_of, names, first)
    assert [dataset.record(i)["annotations"][0]["labels"] for i in range(7)] == [[i] for i in range(7)]
    assert dataset.report.counts == {}


@pytest.mark.parametrize(
    ("number_of", "names", "sentence"),
    [
        (FER.index, None, "FER-2013's order"),
        (lambda name: NAMES.index(name) + 1, None, "counts its labels from 1 to 7"),
        (lambda name: 7, None, "label '7' is unknown"),
        (lambda name: 1.5, None, "'category_id' expects one of 0 Anger"),
        (lambda name: None, None, "Got null."),
        (lambda name: True, None, "Got true."),
        (lambda name: 0, ["face"], "its labels are 'face', which are not the emotions of caer_s (Anger, Disgust"),
        (lambda name: 0, ["Contempt", "Sad"], "its labels are 'Contempt'"),
        (lambda name: ["Sad", "Fear"], None, "has 2 emotions. Expected one per person."),
    ],
)
def test_other_numbers_are_refused(
    number_of: Callable[[str], Any], names: Sequence[str] | None, sentence: str, read: Callable[..., CaerSDataset]
) -> None:
    with pytest.raises(UserError) as caught:
        read(number_of, names)
    assert sentence in str(caught.value)


def test_one_name_per_person_beside_a_single_category(read: Callable[..., CaerSDataset]) -> None:
    with pytest.raises(UserError, match="labels contradict the class folder"):
        read(lambda name: 0, ["face"], emotion="Sad")
