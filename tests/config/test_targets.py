"""Dotted names: there and back, or a reason why not."""

import functools
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from dsct_detrex.config.errors import ConfigError
from dsct_detrex.config.schedules import WarmupParamScheduler
from dsct_detrex.config.targets import locate, named, target_name

from . import callables
from .callables import Pair, Recorder, double

HERE = callables.__name__


@pytest.mark.parametrize(
    ("target", "name"),
    [
        (torch.nn.Linear, "torch.nn.Linear"),
        (torch.optim.AdamW, "torch.optim.AdamW"),
        (math.sqrt, "math.sqrt"),
        (len, "builtins.len"),
        (double, f"{HERE}.double"),
        (Recorder.made, f"{HERE}.Recorder.made"),
        (Recorder.method, f"{HERE}.Recorder.method"),
        (WarmupParamScheduler, "dsct_detrex.config.WarmupParamScheduler"),
        (named, "dsct_detrex.config.named"),
    ],
)
def test_name_and_back(target: Callable[..., Any], name: str) -> None:
    assert target_name(target) == name
    assert locate(name) == target


def test_a_module_hidden_behind_a_function_of_its_name_is_found() -> None:
    assert locate("torch.optim.adamw.AdamW") is torch.optim.AdamW


def test_named_binds_keywords() -> None:
    assert named("torch.nn.LayerNorm") is torch.nn.LayerNorm
    bound = named(f"{HERE}.Pair", {"first": 1})
    assert isinstance(bound, functools.partial)
    assert (bound().first, bound(second=2).second) == (1, 2)


def _inner() -> Callable[[], None]:
    def inner() -> None: ...

    return inner


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (
            callables.a_lambda,
            f"is a lambda (line {callables.a_lambda.__code__.co_firstlineno} of {callables.__file__})",
        ),
        (_inner(), "is `_inner.<locals>.inner`, defined inside a function"),
        (Pair(1), "is a built `Pair`, not a function or class of a module"),
        (torch.zeros(1), "is a built `Tensor`, not a function or class of a module"),
        (
            Recorder().method,
            f"is not what the name `{HERE}.Recorder.method` stands for (a method of an object, or defined in a config)",
        ),
    ],
)
def test_what_has_no_name(target: Any, reason: str) -> None:
    with pytest.raises(ConfigError) as error:
        target_name(target)
    assert str(error.value) == reason


def test_the_running_script_has_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(double, "__module__", "__main__")
    with pytest.raises(ConfigError, match=r"^is `double` of the running script \(__main__\)"):
        target_name(double)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("len", "locate(name=) expects a dotted name such as torch.nn.Linear. Got 'len'."),
        ("a..b", "locate(name=) expects a dotted name such as torch.nn.Linear. Got 'a..b'."),
        (
            "no_such.Thing",
            "locate: there is no module `no_such`, so `no_such.Thing` cannot be found. Install it first.",
        ),
        (
            "torch.nn.Linear.weigth_",
            "locate: `torch.nn.Linear.weigth_` does not exist: `Linear` has no `weigth_`.",
        ),
    ],
)
def test_locate_messages(name: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        locate(name)
    assert str(error.value) == message
