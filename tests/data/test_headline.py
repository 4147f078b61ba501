"""Headlines: what each kind of data set says of itself, and on how much of it a number stands."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dsct_detrex.data import CaerSDataset, EmoticDataset, Subset, headline_of
from dsct_detrex.data.synthetic import SyntheticScenes
from dsct_detrex.structures import Headline


def test_a_whole_split(make_emotic: Callable[..., Path]) -> None:
    headline = headline_of(EmoticDataset(str(make_emotic(images=3)), "train"))
    assert headline is not None
    assert (headline.split, headline.source, headline.boxes) == ("train", "emotic_train_bi.json", "head")
    assert (headline.images, headline.listed_images, headline.people) == (3, 3, 6)
    assert headline.sentence() == "emotic_train: head boxes from emotic_train_bi.json, 3 images, 6 people"
    assert headline.coverage(3) is None
    assert sum(headline.labels.values()) >= 6
    assert any(line.startswith("labels: ") and "nobody shows" in line for line in headline.lines())


def test_lost_pictures_are_counted_and_named(make_emotic: Callable[..., Path]) -> None:
    root = make_emotic(images=4)
    (root / "emotic/mscoco/images/0002.jpg").unlink()
    headline = headline_of(EmoticDataset(str(root), "train", on_error="skip"))
    assert headline is not None
    assert headline.sentence() == "emotic_train: head boxes from emotic_train_bi.json, 3 of 4 images, 6 people"
    (finding,) = headline.findings
    assert finding.startswith("1 images skipped: the file is not there (first: ")
    assert finding.endswith("0002.jpg)")
    assert headline.coverage(2) == "2 of 4 images", "one more could not be read later"
    assert headline.coverage(2, cut_short=True) == "the first 2 of 4 images"
    assert headline.coverage(2, cut_short=True, first=False) == "2 of 4 images", "several processes: not the first"


def test_pictures_without_anybody_usable_are_missed_too(make_emotic: Callable[..., Path]) -> None:
    """A detector found no face there: the score does not stand on them, whatever the file lists."""
    root = make_emotic(images=4)
    path = root / "emotic_train_bi.json"
    content = json.loads(path.read_text())
    first = content["images"][0]["id"]
    for person in content["annotations"]:
        person["bbox"] = [0, 0, 0, 0] if person["image_id"] == first else person["bbox"]
    path.write_text(json.dumps(content))
    headline = headline_of(EmoticDataset(str(root), "train"))
    assert headline is not None
    assert (headline.lost_images, headline.emptied_images) == (0, 1)
    assert headline.coverage(3) == "3 of 4 images"


def test_a_subset_does_not_claim_the_whole(make_emotic: Callable[..., Path]) -> None:
    whole = EmoticDataset(str(make_emotic(images=5)), "train")
    headline = headline_of(Subset(whole, 2))
    assert headline is not None
    assert (
        headline.sentence() == "emotic_train: head boxes from emotic_train_bi.json, the first 2 of 5 images, 4 people"
    )
    assert headline.split == "train"
    same, untouched = headline_of(Subset(whole)), headline_of(whole)
    assert same is not None
    assert untouched is not None
    assert same.sentence() == untouched.sentence()


def test_caer_s_carries_its_warning(golden_caer: Path) -> None:
    headline = headline_of(CaerSDataset(str(golden_caer), "test", annotations="{split}.txt", on_error="skip"))
    assert headline is not None
    assert headline.boxes == "face"
    assert headline.warnings[0].startswith("CAER-S train and test share frames")


@pytest.mark.parametrize("format", ["emotic", "caer_s"])
def test_drawn_scenes(format: str) -> None:
    headline = headline_of(SyntheticScenes(format, "val", 20, boxes="body"))
    assert headline is not None
    assert (headline.split, headline.boxes, headline.source) == ("val", "body", None)
    assert headline.sentence().startswith(f"synthetic_{format}_val: 20 drawn scenes of 192 x 144 pixels")
    assert "body boxes" in headline.sentence()
    assert headline.people is not None
    assert headline.sentence().endswith(f"20 images, {headline.people} people")


def test_endless_scenes_are_not_drawn_to_be_counted() -> None:
    headline = headline_of(SyntheticScenes("caer_s", "train", 100_000))
    assert headline is not None
    assert headline.people is None
    assert headline.sentence().endswith("100,000 images, people not counted")
    assert len(headline.lines()) == 1


class Foreign:
    def __len__(self) -> int:
        return 7


def test_foreign_data_sets_give_what_they_have() -> None:
    headline = headline_of(Foreign())
    assert headline is not None
    assert headline.sentence() == "Foreign: 7 images, people not counted"
    assert headline.split is None
    assert headline_of(None) is None

    def stream() -> Iterator[int]:
        yield 1

    assert headline_of(stream()) is None


def test_unstated_boxes_are_said_to_be_unstated() -> None:
    headline = Headline("x", images=1, listed_images=1, source="boxes.json", boxes="unstated", people=1)
    assert "boxes of a kind that the file does not state from boxes.json" in headline.sentence()


def test_a_headline_is_plain_json(make_emotic: Callable[..., Path]) -> None:
    headline = headline_of(EmoticDataset(str(make_emotic(images=2)), "train"))
    assert headline is not None
    content = json.loads(json.dumps(headline.to_dict()))
    assert content == headline.to_dict()
    assert content["sentence"] == headline.sentence()
