"""A saved config loads again and builds the same things; what could not is refused by key."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import DictConfig, OmegaConf

from dsct_detrex.config.building import instantiate
from dsct_detrex.config.errors import ConfigError
from dsct_detrex.config.lazy import LazyCall as L
from dsct_detrex.config.lazy import LazyConfig
from dsct_detrex.config.loading import config_from_yaml, load_config
from dsct_detrex.config.param_groups import LrFactors, get_default_optimizer_params
from dsct_detrex.config.saving import config_to_yaml, save_config

from . import callables
from .callables import Colour, Pair, Point, Recorder, double

HERE = callables.__name__


def again(cfg: DictConfig, resolve: bool = False) -> Any:
    return config_from_yaml(config_to_yaml(cfg, resolve))


def test_a_run_config_comes_back_whole(tmp_path: Path) -> None:
    cfg = DictConfig(
        {
            "optimizer": L(torch.optim.AdamW)(
                params=L(get_default_optimizer_params)(
                    model="???", base_lr="${..lr}", lr_factor_func=L(LrFactors)(rules={"backbone": 0.1, "a.b": 0.5})
                ),
                lr=1e-5,
                betas=(0.9, 0.999),
            ),
            "hosts": {"dino": L(Pair)(first=1, second="${.first}")},
            "host": {"name": "dino"},
            "model": {"host": "${hosts.${host.name}}"},
        },
        flags={"allow_objects": True},
    )
    before = OmegaConf.to_container(cfg, resolve=False)
    LazyConfig.save(cfg, str(tmp_path / "config.yaml"))
    loaded = LazyConfig.load(str(tmp_path / "config.yaml"))
    assert OmegaConf.to_container(cfg, resolve=False) == before, "saving must not change the config"
    assert loaded.optimizer._target_ == "torch.optim.AdamW"
    assert loaded.optimizer.params._target_ == "dsct_detrex.config.get_default_optimizer_params"
    assert OmegaConf.to_container(loaded.model, resolve=False) == {"host": "${hosts.${host.name}}"}

    loaded.hosts.dino.first = 3
    assert instantiate(loaded.model.host).second == 3
    model = torch.nn.ModuleDict({"backbone": torch.nn.Linear(1, 1), "head": torch.nn.Linear(1, 1)})
    loaded.optimizer.params.model = model
    optimizer = instantiate(loaded.optimizer)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([1e-6, 1e-5])
    assert list(loaded.optimizer.params.lr_factor_func.rules) == ["backbone", "a.b"]


def test_the_file_is_stable() -> None:
    cfg = DictConfig({"b": L(double)(value=1), "a": {"x": None, "y": [1, "2"]}}, flags={"allow_objects": True})
    text = config_to_yaml(cfg)
    assert text == f"b:\n  value: 1\n  _target_: {HERE}.double\na:\n  x: null\n  'y':\n  - 1\n  - '2'\n"
    assert config_to_yaml(config_from_yaml(text)) == text


@pytest.mark.parametrize(
    "value",
    [1, 1e-5, True, None, "1e-4", "null", "on", "007", "", "a: b", "ä\nb", float("inf"), [], {}, b"x", Path("x")],
)
def test_plain_values_keep_value_and_type(value: Any) -> None:
    loaded = again(DictConfig({"x": value})).x
    assert loaded == value
    if not isinstance(value, (list, dict)):
        assert type(loaded) is type(value)


def test_resolve_writes_values() -> None:
    cfg = DictConfig({"a": 1, "b": "${a}", "c": {"d": "${..b}"}})
    assert config_to_yaml(cfg) == "a: 1\nb: ${a}\nc:\n  d: ${..b}\n"
    assert config_to_yaml(cfg, resolve=True) == "a: 1\nb: 1\nc:\n  d: 1\n"
    with pytest.raises(ConfigError) as error:
        config_to_yaml(DictConfig({"a": "${gone}"}), resolve=True)
    assert str(error.value).startswith(
        "save_config(resolve=True): an interpolation finds nothing: Interpolation key 'gone'"
    )


def test_callables_as_values_come_back_as_themselves() -> None:
    cfg = L(Pair)(first=torch.nn.LayerNorm, second=[double, Recorder.made, Colour.RED])
    loaded = again(cfg)
    assert OmegaConf.to_container(loaded)["first"] == {
        "_target_": "dsct_detrex.config.named",
        "name": "torch.nn.LayerNorm",
    }
    built = instantiate(loaded)
    assert built.first is torch.nn.LayerNorm
    assert list(built.second) == [double, Recorder.made, Colour.RED]


def test_partials_as_targets_and_as_values() -> None:
    cfg = L(partial(Pair, first=1, second=2))(second=L(Pair)(first=partial(torch.nn.LayerNorm, eps=1e-6)))
    built = instantiate(again(cfg))
    assert built.first == 1, "the partial's own keyword"
    assert built.second.first(4).eps == 1e-6
    assert again(cfg)._target_ == f"{HERE}.Pair"


def test_dataclasses_become_calls() -> None:
    cfg = L(Pair)(first=Point(5, 6), second=L(Point)(x=7))
    built = instantiate(again(cfg))
    assert type(built.first) is type(built.second) is Point
    assert (built.first, built.second) == (Point(5, 6), Point(7, 2))


CURE = (
    ", so the saved file could not be loaded again. Use a function or class of a module, or describe the object with "
    "LazyCall: L(LrFactors)(rules={...})."
)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (
            callables.a_lambda,
            f"is a lambda (line {callables.a_lambda.__code__.co_firstlineno} of {callables.__file__}){CURE}",
        ),
        (Pair(1), f"is a built `Pair`, not a function or class of a module{CURE}"),
        (
            Recorder().method,
            f"is not what the name `{HERE}.Recorder.method` stands for (a method of an object, or defined in a "
            f"config){CURE}",
        ),
        (
            partial(Pair, 1),
            "is a functools.partial with positional arguments (1,), so the saved file could not be loaded again. Use "
            "keywords instead.",
        ),
    ],
)
@pytest.mark.parametrize("key", ["lr_factor_func", "_target_"])
def test_what_cannot_be_loaded_again_is_refused_by_key(tmp_path: Path, value: Any, reason: str, key: str) -> None:
    cfg = DictConfig({"optimizer": {"params": {}}}, flags={"allow_objects": True})
    cfg.optimizer.params[key] = value
    with pytest.raises(ConfigError) as error:
        save_config(cfg, tmp_path / "config.yaml")
    assert str(error.value) == f"save_config: `optimizer.params.{key}` {reason}"
    assert not (tmp_path / "config.yaml").exists()


def test_a_function_of_a_config_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def rate(name): return 1.0\nx = dict(f=rate)\n")
    with pytest.raises(
        ConfigError, match=r"^save_config: `x\.f` is not what the name `config_file\.a\.rate` stands for"
    ):
        save_config(load_config(tmp_path / "a.py"), tmp_path / "a.yaml")
