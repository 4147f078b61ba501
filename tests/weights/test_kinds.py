"""Entries of our own files that are something else than they should be: one sentence, whoever reads the file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from dsct_detrex.engine.checkpoint import read_last
from dsct_detrex.errors import UserError
from dsct_detrex.info.weights_file import describe_file
from dsct_detrex.prediction.checkpoints import load
from dsct_detrex.weights import read_checkpoint
from dsct_detrex.weights.training_checkpoint import FORMAT
from tests.prediction.tiny_release import write_release
from tests.reliability.test_fuzz_weights import header_of, with_header

EMOTIONS = {"_target_": "dsct_detrex.structures.get_emotions", "name": "caer_s"}
GOOD = {
    "format": FORMAT,
    "iteration": 3,
    "rng": [],
    "best": {"metric": "emotion/mAP", "value": 0.5},
    "config": {"emotions": EMOTIONS, "model": {}},
    "model": {"weight": torch.ones(2)},
}
READERS: dict[str, Callable[[Path], Any]] = {
    "read_checkpoint": read_checkpoint,
    "predict": load,
    "info": describe_file,
    "--resume": lambda path: read_last(path.parent),
}
WRONG = {
    "iteration": "x",
    "max_iter": True,
    "rng": {},
    "best": 0.5,
    "config": ";",
    "optimizer": [],
    "ema": "x",
    "seconds": "long",
    "measured": [],
    "teacher": 5,
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", WRONG)
def test_an_entry_of_another_kind_is_named(name: str, reader: str, tmp_path: Path) -> None:
    torch.save({**GOOD, name: WRONG[name]}, tmp_path / "last.pth")
    with pytest.raises(UserError, match=rf"'{name}' should be .* and is .*last\.prev\.pth"):
        READERS[reader](tmp_path / "last.pth")


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", ["model", "train", "emotions"])
def test_a_block_of_the_config_of_another_kind_is_named(name: str, reader: str, tmp_path: Path) -> None:
    torch.save({**GOOD, "config": {**GOOD["config"], name: "x: ]"}}, tmp_path / "last.pth")
    with pytest.raises(UserError, match=f"'{name}' should be a mapping or nothing and is text"):
        READERS[reader](tmp_path / "last.pth")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"emotions": {"name": "caer_s"}}, "makes a dict where Emotions is expected"),
        ({"emotions": EMOTIONS, "train": {"thresholds": "high"}}, "train.thresholds expects numbers. Got 'high'"),
        ({"emotions": EMOTIONS, "train": {"thresholds": {"Happy": "x"}}}, "train.thresholds expects numbers"),
        ({"emotions": EMOTIONS, "model": {}}, "has no dataloader.test.mapper.transforms"),
        ({"emotions": EMOTIONS, ("a", "b"): 1}, "holds what a config may not"),
    ],
)
def test_a_config_that_makes_no_model(config: dict[Any, Any], said: str, tmp_path: Path) -> None:
    torch.save({**GOOD, "config": config}, tmp_path / "last.pth")
    with pytest.raises(UserError, match=said):
        load(tmp_path / "last.pth")


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ({"provenance": {"metrics": None}}, "'metrics' should be a mapping and is nothing"),
        ({"provenance": {"epoch": "last"}}, "'epoch' should be a whole number or nothing and is text"),
        ({"calibration": [2.0]}, "'calibration' should be a mapping|list indices"),
    ],
)
@pytest.mark.parametrize("reader", ["read_checkpoint", "predict", "info"])
def test_a_header_of_another_kind(header: dict[str, Any], said: str, reader: str, tmp_path: Path) -> None:
    release = write_release(tmp_path / "good.safetensors").read_bytes()
    path = tmp_path / "wrong.safetensors"
    path.write_bytes(with_header(release, {**header_of(release), **header}))
    with pytest.raises(UserError, match=said):
        READERS[reader](path)


@pytest.mark.parametrize("config", ["- model", "model: 5", "model: {a: 1}", "model: {_target_: torch.nn.Identity}"])
def test_a_release_whose_config_makes_no_model(config: str, tmp_path: Path) -> None:
    release = write_release(tmp_path / "good.safetensors").read_bytes()
    path = tmp_path / "wrong.safetensors"
    path.write_bytes(with_header(release, {**header_of(release), "config": config}))
    with pytest.raises(UserError, match="cannot be used alone"):
        load(path)


def test_a_long_reason_is_cut(tmp_path: Path) -> None:
    """safetensors repeats the whole header."""
    path = tmp_path / "long.safetensors"
    header = b'{"a":"' + b"x" * 20_000 + b'"}'
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(UserError, match="is damaged") as told:
        read_checkpoint(path)
    assert len(str(told.value)) < 700
