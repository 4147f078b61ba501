"""Overrides, command lines and pictures that a predictor is handed: a result, or one sentence."""

from __future__ import annotations

import functools
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torch import nn

from dsct_detrex.cli.evaluate import parse as parse_evaluate
from dsct_detrex.cli.predict import parse as parse_predict
from dsct_detrex.cli.train import parse as parse_train
from dsct_detrex.config import apply_overrides
from dsct_detrex.config.copies import duplicate
from dsct_detrex.config.override_grammar import parse_override
from dsct_detrex.data import eval_transforms
from dsct_detrex.prediction import Predictor
from dsct_detrex.prediction.inputs import as_photo
from dsct_detrex.structures import CAER_S, predicted_people
from tests.prediction.tiny_release import tiny_config
from tests.reliability.drawing import NUMBERS, PLAIN, TEXTS, cases, damaged, told

config = functools.cache(tiny_config)
PIECES = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "=",
    "'",
    '"',
    "\\",
    "${",
    "}",
    "~",
    "+",
    "++",
    ".",
    "null",
    "true",
    "1e9",
    "-",
    " ",
    "()",
    "a",
    "@",
    "!",
]
KEYS = [
    "train.max_iter",
    "model.host.num_queries",
    "host.name",
    "train.amp",
    "dataloader.test.dataset",
    "emotions.name",
    "hosts",
    "train",
    "x.y",
    "",
]
WORDS = st.one_of(
    TEXTS,
    st.lists(st.sampled_from(PIECES), max_size=8).map("".join),
    st.tuples(
        st.sampled_from(KEYS),
        st.one_of(TEXTS, NUMBERS.map(str), st.lists(st.sampled_from(PIECES), max_size=6).map("".join)),
    ).map("=".join),
)
FLAGS = [
    "--config",
    "demo",
    "--resume",
    "--num-gpus",
    "--out",
    "--device",
    "--epochs",
    "-c",
    "--",
    "--data",
    "--split",
    "--help-me",
    "--batch-size",
    "--format",
]


@given(text=WORDS)
@cases(300)
def test_one_override(text: str) -> None:
    told("overrides, read", lambda: parse_override(text))


@given(texts=st.lists(WORDS, max_size=3))
@cases(120)
def test_overrides_of_a_config(texts: list[str]) -> None:
    told("overrides, applied", lambda: apply_overrides(duplicate(config()), texts))


@pytest.mark.parametrize("parse", [parse_train, parse_evaluate, parse_predict], ids=["train", "eval", "predict"])
@given(words=st.lists(st.one_of(st.sampled_from(FLAGS), WORDS), max_size=5))
@cases(80)
def test_command_lines(parse: Any, words: list[str]) -> None:
    told("command lines", lambda: parse(words))


class Found(nn.Module):
    """Finds one person, somewhere."""

    def forward(self, batch: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for entry in batch:
            assert entry["image"].shape[0] == 3
            assert min(entry["image"].shape) > 0
        boxes = torch.tensor([[0.0, 0, 1, 1]])
        return [
            {"instances": predicted_people((entry["height"], entry["width"]), boxes, torch.ones(1, 8), CAER_S)}
            for entry in batch
        ]


PREDICTOR = Predictor(Found(), CAER_S, eval_transforms(32, 64), (0.5,) * 7)

SHAPES = st.lists(st.sampled_from((0, 1, 2, 3, 4, 5, 30)), max_size=4).map(tuple)
TYPES = [
    "uint8",
    "uint16",
    "int8",
    "int64",
    "float16",
    "float32",
    "float64",
    "bool",
    "complex64",
    "object",
    "datetime64[s]",
    "U1",
]


@given(shape=SHAPES, kind=st.sampled_from(TYPES), value=NUMBERS, order=st.sampled_from(("rgb", "bgr")))
@cases(120)
def test_arrays(shape: tuple[int, ...], kind: str, value: Any, order: Any) -> None:
    with np.errstate(all="ignore"):
        try:
            array = np.full(shape, value).astype(kind)
        except (ValueError, OverflowError, TypeError):
            return  # there is no such array
        told("pictures, arrays", lambda: PREDICTOR(array, channel_order=order))


@given(
    shape=SHAPES, kind=st.sampled_from(("uint8", "int16", "float32", "bfloat16", "bool", "complex64")), value=NUMBERS
)
@cases(100)
def test_tensors(shape: tuple[int, ...], kind: str, value: Any) -> None:
    for device in ("cpu", "meta"):
        try:
            tensor = torch.full(shape, value, device=device).to(getattr(torch, kind))
        except (RuntimeError, OverflowError, TypeError):
            return  # there is no such tensor
        told("pictures, tensors", lambda tensor=tensor: PREDICTOR(tensor))  # type: ignore[misc]


@pytest.fixture
def elsewhere(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working directory with nothing in it, for texts that are taken for paths."""
    folder = tmp_path_factory.mktemp("deep") / "and" / "deeper"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)


@pytest.mark.usefixtures("elsewhere")
@given(
    value=st.one_of(
        PLAIN, st.binary(max_size=8), st.lists(PLAIN, max_size=2), st.dictionaries(TEXTS, PLAIN, max_size=1)
    )
)
@cases(120)
def test_anything_else(value: Any) -> None:
    told("pictures, anything else", lambda: as_photo(value))
    if not isinstance(value, list):
        told("pictures, anything else", lambda: PREDICTOR(value))


FORMATS = ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "TGA", "ICO", "PCX", "SGI", "JPEG2000", "DDS", "MPO"]


def file_of(form: str) -> bytes:
    buffer = io.BytesIO()
    picture = Image.linear_gradient("L").resize((24, 18)).convert("RGB")
    options: dict[str, Any] = (
        {"save_all": True, "append_images": [picture.rotate(90)]} if form in ("GIF", "TIFF", "MPO") else {}
    )
    picture.save(buffer, form, **options)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pictures")


@pytest.mark.parametrize("form", FORMATS)
@given(data=st.data())
@cases(20)
@pytest.mark.filterwarnings("ignore")
def test_files_of_pictures_with_damaged_bytes(form: str, place: Path, data: st.DataObject) -> None:
    path = place / "damaged"
    path.write_bytes(data.draw(damaged(file_of(form))))
    told("pictures, files", lambda: PREDICTOR(path))
