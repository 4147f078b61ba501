"""A config out of a checkpoint may build models; it may not reach anything else, by any detour."""

from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import DictConfig, OmegaConf

from dsct_detrex.config.building import instantiate
from dsct_detrex.config.errors import ConfigError
from dsct_detrex.config.trust import TRUSTED_TARGETS, instantiate_trusted

from . import callables

HERE = callables.__name__

LAYER = {"_target_": "torch.nn.Linear", "in_features": 2, "out_features": 3}
ATTACK = {"_target_": "os.mkdir", "path": "burnt"}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_builds_what_is_trusted() -> None:
    cfg = OmegaConf.create({**LAYER, "out_features": "${.in_features}"})
    assert instantiate_trusted(cfg).weight.shape == (2, 2)
    assert type(instantiate_trusted(LAYER)) is torch.nn.Linear
    named = {"_target_": "dsct_detrex.config.named", "name": "torch.nn.LayerNorm", "keywords": {"eps": 0.5}}
    assert instantiate_trusted(named)(2).eps == 0.5
    chosen = {"a": LAYER, "model": "${${oc.select:choice,a}}"}
    assert type(instantiate_trusted([OmegaConf.create(chosen)["model"]])[0]) is torch.nn.Linear


def test_the_attack_would_work_without_the_check() -> None:
    instantiate(ATTACK)
    assert Path("burnt").exists()


@pytest.mark.parametrize(
    "cfg",
    [
        ATTACK,
        [ATTACK],
        {**LAYER, "out_features": ATTACK},
        {**LAYER, "out_features": {"plain": {"mapping": [ATTACK]}}},
        {"_target_": "${x}", "x": "os.mkdir", "path": "burnt"},
        {"_target_": "${.y}mkdir", "y": "os.", "path": "burnt"},
        {"_target_": ["os.mkdir"]},
        {"_target_": {"_target_": "dsct_detrex.config.named", "name": "torch.nn.Linear"}},
        {"_target_": "dsct_detrex.config.named", "name": "os.mkdir"},
        {"_target_": "dsct_detrex.config.targets.named", "name": "os.mkdir"},
        {"_target_": "dsct_detrex.config.locate", "name": "os.mkdir"},
        {"_target_": "dsct_detrex.config.load_config", "path": "evil.py"},
        {"_target_": "dsct_detrex.config.instantiate", "cfg": ATTACK},
        {"_target_": "torch.nn.modules.module.warnings.sys.modules.clear"},
        {"_target_": "torch.nn.modules.module.torch.load", "f": "x"},
        {"_target_": "torch.nn.modules.module.functools.partial"},
        {"_target_": "torch.load", "f": "x"},
        {"_target_": "torch.nnx.Evil"},
        {"x": "${oc.create:'{_target_: os.mkdir, path: burnt}'}"},
        {"x": "${ oc.env :HOME}"},
        {"x": "}${oc.env:HOME}"},
        {"x": "${oc.select:a,${oc.env:HOME}}"},
        {"y": "oc.env", "x": "${${y}:HOME}"},
    ],
)
def test_detours_are_refused(cfg: Any) -> None:
    with pytest.raises(ConfigError, match=r"^instantiate_trusted: "):
        instantiate_trusted(cfg)
    assert not Path("burnt").exists()


def test_mappings_and_lists_arrive_plain() -> None:
    built = instantiate_trusted(
        OmegaConf.create({"_target_": f"{HERE}.Pair", "first": {"a": [1]}, "second": [{}]}), (f"{HERE}.",)
    )
    assert [type(built.first), type(built.first["a"]), type(built.second)] == [dict, list, list]


def test_an_escaped_interpolation_stays_text() -> None:
    cfg = OmegaConf.create({"x": "\\${.y}", "y": ATTACK | {"_target_": "torch.nn.Identity"}})
    assert instantiate_trusted(cfg)["x"] == "${.y}"


def test_nothing_is_imported_before_all_names_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(name: str) -> Any:
        raise AssertionError(name)

    monkeypatch.setattr("dsct_detrex.config.trust.locate", explode)
    with pytest.raises(ConfigError):
        instantiate_trusted([LAYER, ATTACK])


def test_the_list_can_be_replaced_and_extended() -> None:
    cfg = {"_target_": f"{HERE}.Pair", "first": LAYER}
    for allowed in ((f"{HERE}.", "torch.nn."), (*TRUSTED_TARGETS, f"{HERE}.Pair")):
        assert type(instantiate_trusted(cfg, allowed).first) is torch.nn.Linear
    with pytest.raises(ConfigError, match=r"`torch\.nn\.Linear`"):
        instantiate_trusted(cfg, (f"{HERE}.",))
    with pytest.raises(ConfigError, match=f"`{HERE}.Pair`"):
        instantiate_trusted(cfg, (f"{HERE}.Pai", "torch.nn."))


def test_messages() -> None:
    with pytest.raises(ConfigError) as plain:
        instantiate_trusted(ATTACK)
    assert str(plain.value) == (
        "instantiate_trusted: the config asks to call `os.mkdir`, which is not on the list of trusted targets. If you "
        "trust the file, pass allowed=(*TRUSTED_TARGETS, 'os.mkdir')."
    )
    with pytest.raises(ConfigError) as hidden:
        instantiate_trusted({"_target_": "torch.nn.modules.module.torch.load"})
    assert "`torch.nn.modules.module.torch.load` (really `torch.serialization.load`)" in str(hidden.value)
    with pytest.raises(ConfigError) as resolver:
        instantiate_trusted(DictConfig({"x": "${oc.env:HOME}"}))
    assert str(resolver.value) == (
        "instantiate_trusted: the interpolation '${oc.env:HOME}' calls a resolver, which may run code. Save the config "
        "with resolve=True."
    )
    with pytest.raises(ConfigError) as target:
        instantiate_trusted({"_target_": 3})
    assert str(target.value) == "instantiate_trusted: `_target_` expects a dotted name. Got 3."
