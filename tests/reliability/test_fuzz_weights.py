"""Files of weights, damaged or made up: the weights, or one sentence."""

from __future__ import annotations

import io
import json
import pickle
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dsct_detrex.engine.checkpoint import read_last
from dsct_detrex.info.weights_file import describe_file
from dsct_detrex.prediction.checkpoints import load
from dsct_detrex.weights import convert, read_checkpoint
from tests.prediction.tiny_release import write_release
from tests.reliability.drawing import TEXTS, VALUES, cases, changed, damaged, told

WEIGHTS = {"host.transformer.level_embeds": torch.ones(4, 8), "heads.class_embed.bias": torch.zeros(8)}
TRAINING = {
    "format": "dsct_detrex.resume.1",
    "iteration": 3,
    "rng": [],
    "best": {"metric": "emotion/mAP", "value": 0.5},
    "config": {"emotions": {"_target_": "dsct_detrex.structures.get_emotions", "name": "caer_s"}, "model": {}},
    "model": WEIGHTS,
}


def _torch(content: Any, zipped: bool = True) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, _use_new_zipfile_serialization=zipped)
    return buffer.getvalue()


FILES: dict[str, Callable[[], bytes]] = {
    "training.pth": lambda: _torch(TRAINING),
    "legacy.pth": lambda: _torch({"model": WEIGHTS}, zipped=False),
    "model.pkl": lambda: pickle.dumps({"model": {"stem.conv1.weight": np.ones((2, 3), np.float32)}}, protocol=2),
    "official.pth": lambda: _torch({"model": {"query_embed_dsct.weight": torch.zeros(4, 8)}}),
}


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_release(tmp_path_factory.mktemp("release") / "good.safetensors").read_bytes()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("weights")


def open_everywhere(path: Path) -> None:
    """By every command that takes a file of weights."""
    told("files of weights, read_checkpoint", lambda: read_checkpoint(path))
    told("files of weights, predict", lambda: load(path))
    told("files of weights, info", lambda: describe_file(path))


@pytest.mark.parametrize("name", FILES)
@given(data=st.data())
@cases(8)
def test_damaged_bytes(name: str, place: Path, data: st.DataObject) -> None:
    path = place / name
    path.write_bytes(data.draw(damaged(FILES[name]())))
    open_everywhere(path)
    if name == "training.pth":
        path.replace(path.with_name("last.pth"))
        told("files of weights, --resume", lambda: read_last(place))


@given(data=st.data())
@cases(8)
def test_a_release_with_damaged_bytes(release: bytes, place: Path, data: st.DataObject) -> None:
    """In its header: the tensors behind it are numbers, whatever they are."""
    length = struct.unpack("<Q", release[:8])[0]
    head = data.draw(damaged(release[: 8 + length]))
    path = place / "damaged.safetensors"
    path.write_bytes(head + release[8 + length :])
    open_everywhere(path)


def with_header(release: bytes, header: Any) -> bytes:
    """The release with another JSON text in its metadata."""
    length = struct.unpack("<Q", release[:8])[0]
    content = json.loads(release[8 : 8 + length])
    content["__metadata__"]["dsct_detrex"] = header if isinstance(header, str) else json.dumps(header)
    new = json.dumps(content).encode()
    return struct.pack("<Q", len(new)) + new + release[8 + length :]


def header_of(release: bytes) -> dict[str, Any]:
    length = struct.unpack("<Q", release[:8])[0]
    header: dict[str, Any] = json.loads(json.loads(release[8 : 8 + length])["__metadata__"]["dsct_detrex"])
    return header


@given(data=st.data())
@cases(10)
def test_a_release_with_another_header(release: bytes, place: Path, data: st.DataObject) -> None:
    path = place / "header.safetensors"
    path.write_bytes(with_header(release, data.draw(changed(header_of(release)))))
    open_everywhere(path)


@given(data=st.data())
@cases(10)
def test_a_release_with_another_config(release: bytes, place: Path, data: st.DataObject) -> None:
    import yaml

    header = header_of(release)
    config = data.draw(changed(yaml.safe_load(header["config"])))
    if data.draw(st.booleans()):
        header["config"] = yaml.safe_dump(config, allow_unicode=True)
    else:
        header["config"] = data.draw(damaged(header["config"].encode())).decode("utf-8", "replace")
    path = place / "config.safetensors"
    path.write_bytes(with_header(release, header))
    open_everywhere(path)


@given(data=st.data())
@cases(12)
def test_a_training_checkpoint_with_other_values(place: Path, data: st.DataObject) -> None:
    content = data.draw(changed(TRAINING))
    path = place / "last.pth"
    try:
        torch.save(content, path)
    except (UnicodeError, OverflowError, RecursionError):
        return  # no such file can be written
    open_everywhere(path)
    told("files of weights, --resume", lambda: read_last(place))


PICKLED = [
    b"(",
    b")",
    b"}",
    b"]",
    b"t",
    b"R",
    b"b",
    b"u",
    b"s",
    b"a",
    b"e",
    b"0",
    b"2",
    b"N",
    b"K\x01",
    b"X\x01\0\0\0a",
    b"\x81",
    b".",
]
NAMED = [
    "builtins list",
    "builtins range",
    "builtins bytearray",
    "builtins object",
    "collections OrderedDict",
    "numpy ndarray",
]
NAMED += [
    "torch._utils _rebuild_tensor_v2",
    "argparse Namespace",
    "pathlib Path",
    "omegaconf X",
    "decimal Decimal",
    "os system",
]
NAMED += [
    "numpy.core.multiarray _reconstruct",
    "numpy dtype",
    "torch Size",
    "uuid UUID",
    "datetime datetime",
    "builtins eval",
]


@given(words=st.lists(st.one_of(st.sampled_from(PICKLED), st.sampled_from(NAMED)), max_size=14))
@cases(150)
def test_programs_of_pickle(words: list[bytes | str], place: Path) -> None:
    """A pickle is a program: any words of its language in any order."""
    program = b"".join(
        word if isinstance(word, bytes) else b"c" + word.replace(" ", "\n").encode() + b"\n" for word in words
    )
    path = place / "program.pkl"
    path.write_bytes(b"\x80\x02" + program + b".")
    told("files of weights, programs of pickle", lambda: read_checkpoint(path))


@pytest.mark.parametrize("kind", ["list", "tuple", "set", "frozenset", "bytes", "bytearray", "dict"])
@pytest.mark.parametrize(
    "filled_by", [b"K\x01M\xff\xffcbuiltins\nrange\nK\x00J\xff\xff\xff\x7f\x86R\x85", b"J\xff\xff\xff\x7f\x85"]
)
@pytest.mark.parametrize("made", [b"R", b"\x81"])
def test_a_few_bytes_do_not_fill_the_memory(kind: str, filled_by: bytes, made: bytes, place: Path) -> None:
    """``list(range(2**31))`` and its kind, called or made anew."""
    path = place / "large.pkl"
    path.write_bytes(
        b"\x80\x02cbuiltins\n" + kind.encode() + b"\n" + filled_by.removeprefix(b"K\x01M\xff\xff") + made + b"."
    )
    result = told("files of weights, large ones", lambda: read_checkpoint(path))
    assert f"builtins.{kind}(" in str(result)


@pytest.mark.parametrize(
    "program",
    [
        b"cbuiltins\nint\ncdecimal\nDecimal\nX\x0b\0\0\x001e999999999\x85R\x85R.",
        b"cfractions\nFraction\nX\x0b\0\0\x001e999999999\x85R.",
    ],
    ids=["decimal", "fraction"],
)
def test_a_few_bytes_do_not_count_for_ever(program: bytes, place: Path) -> None:
    path = place / "large.pkl"
    path.write_bytes(b"\x80\x02" + program)
    assert re.search(
        r"1E\+?999999999", str(told("files of weights, large ones", lambda: read_checkpoint(path))).upper()
    )


NAMES = [
    "query_embed_dsct.weight", "class_embed_dsct.0.weight", "transformer.level_embed", "class_embed.0.weight",
    "input_proj.0.0.weight", "input_proj.weight", "bbox_embed_dsct.1.layers.0.weight", "layer1.0.conv1.weight", "x",
    "transformer.decoder.layers.0.multihead_attn.in_proj_weight", "backbone.0.body.conv1.weight", "transformer.enc_output.weight",  # noqa: E501
]  # fmt: skip


@given(
    names=st.lists(st.sampled_from(NAMES), max_size=6, unique=True),
    shapes=st.lists(st.lists(st.sampled_from((0, 1, 2, 91)), max_size=3), min_size=6, max_size=6),
)
@cases(80)
def test_tensors_under_names_of_other_codes(names: list[str], shapes: list[list[int]]) -> None:
    state = {name: torch.zeros(shape) for name, shape in zip(names, shapes)}
    told("files of weights, convert", lambda: convert(state))


@given(text=st.one_of(TEXTS, st.text(max_size=60), VALUES.map(str)))
@cases(150)
def test_yaml_of_any_text(text: str) -> None:
    from dsct_detrex.config import config_from_yaml

    told("YAML", lambda: config_from_yaml(text))


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x]\n"
        + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(9)),
        "a: &a {b: *a}",
        "a: &a [*a, *a]",
    ],
    ids=["a billion", "a circle", "a circle of lists"],
)
def test_aliases_do_not_fill_the_memory(text: str) -> None:
    from dsct_detrex.config import config_from_yaml

    assert "repeats itself (& and *)" in str(told("YAML", lambda: config_from_yaml(text)))


def test_aliases_are_read_where_they_are_few() -> None:
    from dsct_detrex.config import config_from_yaml

    assert config_from_yaml("a: &a {x: 1}\nb: {<<: *a, y: 2}\n") == {"a": {"x": 1}, "b": {"x": 1, "y": 2}}
