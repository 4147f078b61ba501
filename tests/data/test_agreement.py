"""One run, one kind of boxes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dsct_detrex.config import instantiate
from dsct_detrex.config.overrides import apply_overrides
from dsct_detrex.config.project import get_config
from dsct_detrex.data import EmoticDataset, Subset
from dsct_detrex.data.agreement import check_same_boxes, shared_pictures
from dsct_detrex.errors import UserError

SPLITS = ("train", "val", "test")


@pytest.fixture
def partial(golden_emotic: Path, tmp_path: Path) -> Path:
    """The download's ``Annotations.mat`` beside the official files of two splits."""
    shutil.copytree(golden_emotic, tmp_path / "emotic")
    (tmp_path / "emotic/emotic_train_bi.json").unlink()
    return tmp_path / "emotic"


@pytest.mark.parametrize("split", SPLITS)
def test_auto_does_not_mix_kinds(split: str, partial: Path) -> None:
    with pytest.raises(UserError) as caught:
        EmoticDataset(str(partial), split)
    for part in ("emotic_val_bi.json", "emotic_test_bi.json have head boxes", "Annotations.mat has body boxes",
                 "emotic_train_bi.json is not there", "boxes=body or boxes=head", "data.boxes.train", "--boxes",
                 "complete the files"):  # fmt: skip
        assert part in str(caught.value)


@pytest.mark.parametrize("split", SPLITS)
def test_one_kind_can_be_asked_for(split: str, partial: Path) -> None:
    dataset = EmoticDataset(str(partial), split, boxes="body")
    assert (dataset.boxes, dataset.boxes_stated, dataset.split) == ("body", True, split)
    mapped = EmoticDataset(str(partial), split, boxes={"train": "body", "test": "head"})
    assert mapped.boxes == ("body" if split == "train" else "head")


def test_auto_is_the_one_kind_there_is(golden_emotic: Path, partial: Path) -> None:
    assert {EmoticDataset(str(golden_emotic), split).boxes for split in SPLITS} == {"head"}
    for split in ("val", "test"):
        (partial / f"emotic_{split}_bi.json").unlink()
    assert {EmoticDataset(str(partial), split).boxes for split in SPLITS} == {"body"}
    shutil.copy(golden_emotic / "emotic_test_bi.json", partial)
    shutil.rmtree(partial / "Annotations")
    assert EmoticDataset(str(partial), "test").boxes == "head"


@pytest.mark.parametrize(
    ("boxes", "sentence"),
    [
        ({"train": "body"}, "expects a value for 'test'"),
        ({"train": "body", "test": "face"}, "expects 'auto', 'body' or 'head'. Got 'face'"),
        (None, "Got None"),
    ],
)
def test_what_cannot_be_asked_for(boxes: object, sentence: str, golden_emotic: Path) -> None:
    with pytest.raises(UserError) as caught:
        EmoticDataset(str(golden_emotic), "test", boxes=boxes)  # type: ignore[arg-type]
    assert sentence in str(caught.value)


def test_training_on_bodies_and_testing_on_heads_is_asked_for(partial: Path, make_emotic: Callable[..., Path]) -> None:
    def read(split: str, boxes: str = "auto", annotations: str | None = None) -> EmoticDataset:
        return EmoticDataset(str(partial), split, boxes, annotations)

    body, head = read("train", "body"), read("test", "head")
    check_same_boxes(body, head)  # both asked for
    check_same_boxes(body, read("test", "body"))
    check_same_boxes(body, object())  # another data set has no kinds
    unasked = read("test", annotations="emotic_test_bi.json")
    shutil.copy(partial / "emotic_test_bi.json", partial / "mine.json")
    unstated = read("test", annotations="mine.json")
    check_same_boxes(unstated, unstated)
    for test in (unasked, Subset(unasked, 1), unstated):
        with pytest.raises(UserError) as caught:
            check_same_boxes(body, test)
        for part in ("body boxes from Annotations.mat", "data.boxes.train and data.boxes.test"):
            assert part in str(caught.value)


def test_the_config_has_a_key_for_each(partial: Path) -> None:
    cfg = get_config("common/data/emotic.py")
    apply_overrides(cfg, [f"data.root={partial}", "data.boxes.train=body", "data.boxes.test=head"])
    datasets = [instantiate(loader.dataset) for loader in (cfg.dataloader.train, cfg.dataloader.test)]
    assert [(dataset.boxes, dataset.boxes_stated) for dataset in datasets] == [("body", True), ("head", True)]
    apply_overrides(cfg, ["data.boxes={train:head,test:body}", "data.box_format=xyxy"])
    assert instantiate(cfg.dataloader.test.dataset).boxes == "body"
    assert cfg.dataloader.train.dataset.box_format == "xyxy"


def test_pictures_that_are_trained_on_are_counted(golden_emotic: Path) -> None:
    train, test = EmoticDataset(str(golden_emotic), "train"), EmoticDataset(str(golden_emotic), "test")
    again = EmoticDataset(str(golden_emotic), "test", annotations=str(golden_emotic / "emotic_train_bi.json"))
    assert shared_pictures(train, test) is None
    assert shared_pictures(train, object()) is None
    assert (shared_pictures(train, again) or "").startswith(f"{len(train)} of the {len(train)} images that are")
    assert (shared_pictures(Subset(train, 1), again) or "").startswith(f"1 of the {len(train)} images that are")
