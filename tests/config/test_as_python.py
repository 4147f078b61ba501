"""``LazyConfig.to_py``: a config as Python to read."""

import ast
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import DictConfig

from dsct_detrex.config import load_config
from dsct_detrex.config.errors import ConfigError
from dsct_detrex.config.lazy import LazyCall as L
from dsct_detrex.config.lazy import LazyConfig

from . import callables
from .callables import Colour, Point, a_lambda, double

PROJECTS = Path(__file__).parents[2] / "projects"
HERE = callables.__name__


def of(**content: Any) -> DictConfig:
    return DictConfig(content, flags={"allow_objects": True})


def test_keys_calls_and_what_is_too_wide_for_a_line() -> None:
    inner = L(count)(start={"low": "a", "step": 2.5, "rest": [1, [2, 3], "z", None, "${top.name}"]})
    cfg = of(top={"name": "n", "more": {"lr": 1e-5}}, obj=L(count)(x={"a": 1, "long_name": inner}, y="end"), none=[])
    expected = """cfg.top.name = "n"
cfg.top.more.lr = 1e-05
cfg.obj = itertools.count(
    x={
        "a": 1,
        "long_name": itertools.count(
            start={"low": "a", "step": 2.5, "rest": [1, [2, 3], "z", None, "n"]},
        ),
    },
    y="end",
)
cfg.none = []
"""
    assert LazyConfig.to_py(cfg) == expected
    ast.parse(expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "None"),
        (True, "True"),
        ("it's", '"it\'s"'),
        ('say "so"', "'say \"so\"'"),
        ("two\nlines\\", '"two\\nlines\\\\"'),
        ("???", '"???"'),
        (float("inf"), 'float("inf")'),
        (b"x", "b'x'"),
        (Path("a/b"), 'Path("a/b")'),
        (double, f"{HERE}.double"),
        (torch.nn.Linear, "torch.nn.Linear"),
        (Colour.RED, f"{HERE}.Colour.RED"),
        (torch.float16, "torch.float16"),
        (object, "builtins.object"),
        ({}, "{}"),
        ({"a-b": 1, 3: {"class": 2}}, '{"a-b": 1, 3: {"class": 2}}'),
        (partial(double, value=1), f"functools.partial({HERE}.double, value=1)"),
        (partial(double, (1,), (2, "a")), f'functools.partial({HERE}.double, (1,), (2, "a"))'),
        (Point(x=3), f"{HERE}.Point(x=3, y=2)"),
        ({"_target_": "torch.nn.Linear", "a": 1, "b-c": 2}, 'torch.nn.Linear(a=1, **{"b-c": 2})'),
        ({"_target_": {"_target_": "m.make", "name": "f"}, "a": 1}, 'm.make(name="f")(a=1)'),
        ({"_target_": "not a name"}, '"not a name"()'),
        ({"_target_": partial(double, value=1), "b": 2}, f"functools.partial({HERE}.double, value=1)(b=2)"),
    ],
)
def test_every_kind_of_value(value: Any, expected: str) -> None:
    text = LazyConfig.to_py(of(key=value))
    assert text == f"cfg.key = {expected}\n"
    ast.parse(text)


def test_what_has_no_name_is_called_after_its_place() -> None:
    def local() -> None: ...

    line = a_lambda.__code__.co_firstlineno
    cases = {
        f"cfg.key = {HERE}.lambda_line_{line}\n": a_lambda,
        f"cfg.key = {HERE}.lambda_line_{line}(value=1)\n": L(a_lambda)(value=1),
        f"cfg.key = {__name__}.test_what_has_no_name_is_called_after_its_place.local\n": local,
    }
    assert {LazyConfig.to_py(of(key=value)): value for value in cases.values()} == cases
    built = LazyConfig.to_py(of(key=object()))
    assert built.startswith('cfg.key = "<object object')
    for text in (*cases, built):
        ast.parse(text)


def test_prefixes_and_roots() -> None:
    assert LazyConfig.to_py(of(a={"b": 1}), prefix="run.config.") == "run.config.a.b = 1\n"
    assert LazyConfig.to_py(of(a={"b": 1}), prefix="") == "a.b = 1\n"
    assert LazyConfig.to_py(L(count)(x=1)) == "cfg = itertools.count(x=1)\n"
    assert LazyConfig.to_py(of(**{"a-b": 1})) == 'cfg = {"a-b": 1}\n'


def test_an_interpolation_without_aim_is_named() -> None:
    with pytest.raises(ConfigError, match=r"to_py: an interpolation finds nothing.*nowhere"):
        LazyConfig.to_py(of(a="${nowhere}"))


def test_a_whole_project_parses_and_fits() -> None:
    text = LazyConfig.to_py(load_config(PROJECTS / "dino_dsct.py"))
    ast.parse(text)
    assert "cfg.model = dsct_detrex.dsct.DSCT(\n" in text
    assert 'cfg.train.device = "auto"\n' in text
