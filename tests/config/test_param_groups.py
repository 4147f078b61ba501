"""Each trainable parameter lands once, in the group its rules ask for."""

import pickle
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf
from torch import nn

from dsct_detrex.config.errors import ConfigError
from dsct_detrex.config.param_groups import LrFactors, get_default_optimizer_params


def model() -> nn.Module:
    net = nn.Module()
    net.backbone = nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1))
    net.head = nn.Linear(2, 2)
    net.tied = nn.Linear(2, 2, bias=False)
    net.tied.weight = net.head.weight
    net.norm = nn.LayerNorm(2)
    net.frozen = nn.Linear(1, 1).requires_grad_(False)
    net.level_embeds = nn.Parameter(torch.zeros(1))
    return net


def settings(net: nn.Module, **arguments: Any) -> dict[str, dict[str, float]]:
    """Parameter name -> the settings of its group."""
    names = {id(parameter): name for name, parameter in net.named_parameters()}
    groups = get_default_optimizer_params(net, **arguments)
    listed = [id(parameter) for group in groups for parameter in group["params"]]
    assert len(listed) == len(set(listed)), "a parameter appears twice"
    return {
        names[id(parameter)]: {key: value for key, value in group.items() if key != "params"}
        for group in groups
        for parameter in group["params"]
    }


def test_trainable_parameters_once_and_one_group_without_rules() -> None:
    net = model()
    groups = get_default_optimizer_params(net)
    assert [list(group) for group in groups] == [["params"]]
    assert {id(p) for p in groups[0]["params"]} == {id(p) for p in net.parameters() if p.requires_grad}


def test_rules() -> None:
    found = settings(
        model(),
        base_lr=1.0,
        weight_decay=0.1,
        weight_decay_norm=0.0,
        lr_factor_func=LrFactors({"backbone": 0.5}),
        overrides={"level_embeds": {"lr": 9.0}},
    )
    assert found == {
        "backbone.0.weight": {"lr": 0.5, "weight_decay": 0.1},
        "backbone.0.bias": {"lr": 0.5, "weight_decay": 0.1},
        "backbone.1.weight": {"lr": 0.5, "weight_decay": 0.0},
        "backbone.1.bias": {"lr": 0.5, "weight_decay": 0.0},
        "head.weight": {"lr": 1.0, "weight_decay": 0.1},
        "head.bias": {"lr": 1.0, "weight_decay": 0.1},
        "norm.weight": {"lr": 1.0, "weight_decay": 0.0},
        "norm.bias": {"lr": 1.0, "weight_decay": 0.0},
        "level_embeds": {"lr": 9.0, "weight_decay": 0.1},
    }


def test_bias_rules_win_over_norm_and_factor() -> None:
    found = settings(
        model(),
        base_lr=1.0,
        bias_lr_factor=2.0,
        weight_decay_bias=0.3,
        weight_decay_norm=0.0,
        lr_factor_func=lambda name: 0.5,
    )
    assert found["norm.bias"] == {"lr": 2.0, "weight_decay": 0.3}
    assert found["norm.weight"] == {"lr": 0.5, "weight_decay": 0.0}
    assert found["head.weight"] == {"lr": 0.5}


def test_equal_settings_share_a_group_and_an_optimizer_takes_them() -> None:
    groups = get_default_optimizer_params(model(), base_lr=1.0, lr_factor_func=LrFactors({"backbone": 0.1}))
    assert [(group["lr"], len(group["params"])) for group in groups] == [(1.0, 5), (0.1, 4)]
    assert len(torch.optim.AdamW(groups, lr=3.0).param_groups) == 2


def test_config_mappings_are_accepted_and_left_alone() -> None:
    overrides = OmegaConf.create({"level_embeds": {"lr": 9.0}})
    assert settings(model(), overrides=overrides, weight_decay_bias=0.0)["level_embeds"] == {"lr": 9.0}
    assert overrides == {"level_embeds": {"lr": 9.0}}


def test_lr_factors_take_the_first_rule_that_occurs() -> None:
    factors = LrFactors({"backbone.stem": 0.0, "backbone": 0.1, "reference_points": 0.5})
    assert [factors(name) for name in ("m.backbone.stem.w", "backbone.x", "x.reference_points.b", "head")] == [
        0.0,
        0.1,
        0.5,
        1.0,
    ]
    again = pickle.loads(pickle.dumps(LrFactors(OmegaConf.create({"a": 1}))))
    assert (again.rules, repr(again)) == ({"a": 1.0}, "LrFactors(rules={'a': 1.0})")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"lr_factor_func": LrFactors({})},
            "get_default_optimizer_params: lr_factor_func needs base_lr. Got None.",
        ),
        ({"bias_lr_factor": 2.0}, "get_default_optimizer_params: bias_lr_factor needs base_lr. Got None."),
        (
            {"weight_decay_bias": 0.0, "overrides": {"bias": {"lr": 1.0}}},
            "get_default_optimizer_params: overrides['bias'] contradicts bias_lr_factor or weight_decay_bias. Keep "
            "one.",
        ),
    ],
)
def test_messages(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        get_default_optimizer_params(model(), **arguments)
    assert str(error.value) == message


@pytest.mark.parametrize("factor", [-1, "0.1", None, True, float("nan")])
def test_a_factor_is_a_number(factor: Any) -> None:
    with pytest.raises(ConfigError) as error:
        LrFactors({"x": factor})
    assert str(error.value) == f"LrFactors(rules=) expects factors >= 0. Got {factor!r} for 'x'."
