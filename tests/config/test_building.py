"""``instantiate`` builds from the inside out, as detectron2's does."""

from functools import partial
from typing import Any

import pytest
import torch
from omegaconf import DictConfig, ListConfig, OmegaConf

from dsct_detrex.config.building import instantiate
from dsct_detrex.config.errors import ConfigError
from dsct_detrex.config.lazy import LazyCall as L

from . import callables
from .callables import Pair, Point, Recorder, double, function_called, raises

HERE = callables.__name__


def test_nested_calls_and_interpolations() -> None:
    cfg = L(Pair)(first=L(Pair)(first="${..second}"), second=3)
    cfg.second = 4
    built = instantiate(cfg)
    assert type(built) is type(built.first) is Pair
    assert (built.first.first, built.first.second, built.second) == (4, None, 4)
    assert "_target_" in cfg, "building must not change the config"


def test_lists_are_built_element_by_element() -> None:
    built = instantiate(L(Pair)(first=[1, L(Pair)(first=2), [L(Pair)(first=3)]]))
    assert isinstance(built.first, ListConfig)
    assert built.first[0] == 1
    assert built.first[1].first == 2
    assert built.first[2][0].first == 3
    plain = instantiate([1, L(Pair)(first=2)])
    assert type(plain) is list
    assert plain[1].first == 2


def test_mappings_reach_the_constructor_as_configs_and_their_insides_unbuilt() -> None:
    built = instantiate(L(Pair)(first={"a": 1, "lazy": L(Pair)(first=1)}))
    assert isinstance(built.first, DictConfig)
    assert built.first.lazy._target_ is Pair


def test_other_things_are_returned_as_they_are() -> None:
    thing, mapping = Pair(1), {"a": 1}
    assert instantiate(5) == 5
    assert instantiate(thing) is thing
    assert instantiate(mapping) is mapping


@pytest.mark.parametrize(
    "target",
    ["torch.nn.Linear", "torch.nn.modules.linear.Linear", torch.nn.Linear, partial(torch.nn.Linear, bias=True)],
)
def test_targets_by_name_and_by_object(target: Any) -> None:
    layer = instantiate(L(target)(in_features=2, out_features=3))
    assert type(layer) is torch.nn.Linear
    assert layer.weight.shape == (3, 2)


def test_class_methods_and_functions() -> None:
    assert instantiate(L(Recorder.made)(x=1)).arguments == {"made": True, "x": 1}
    assert instantiate(L(double)(value=2)) == 4


def test_a_target_may_itself_be_described() -> None:
    cfg = L(L(function_called)(name="double"))(value=2)
    assert instantiate(cfg) == 4
    cfg._target_.name = "halve"
    assert instantiate(cfg) == 1


def test_dataclasses_as_targets_and_as_values() -> None:
    assert instantiate(L(Point)(x=3)) == Point(3, 2)
    value = instantiate(L(Pair)(first=Point(5, 6))).first
    assert type(value) is Point  # omegaconf's own config of a Point would compare equal
    assert value == Point(5, 6)


def test_dict_subclasses_as_targets() -> None:
    assert instantiate(L(dict)(a=1)) == {"a": 1}


def test_an_optimizer_takes_its_tuple_and_groups() -> None:
    parameter = torch.nn.Parameter(torch.zeros(1))
    cfg = L(torch.optim.AdamW)(params="???", lr=1e-4, betas=(0.9, 0.98))
    cfg.params = [parameter]
    assert list(instantiate(cfg).defaults["betas"]) == [0.9, 0.98]


def test_lazy_call_refuses_what_cannot_be_called() -> None:
    with pytest.raises(TypeError) as error:
        L(3)  # type: ignore[arg-type]
    assert str(error.value) == "LazyCall(target=) expects a callable or a description of one. Got 3."


def test_lazy_call_is_an_open_mapping() -> None:
    cfg = L(Pair)(first=1)
    cfg.second = double
    cfg.second = [L(Pair)(first=1)]
    assert OmegaConf.is_config(cfg.second[0])


@pytest.mark.parametrize(
    ("cfg", "message"),
    [
        (
            L(torch.nn.Linear)(in_feature=2, out_features=3),
            "instantiate: torch.nn.modules.linear.Linear(in_feature, out_features) cannot be called: it takes no "
            "`in_feature`. Did you mean `in_features`?",
        ),
        (
            L(f"{HERE}.Pair")(second=1),
            f"instantiate: {HERE}.Pair(second) cannot be called: missing a required argument: 'first'.",
        ),
        (
            L("torch.nn.Linea")(),
            "locate: `torch.nn.Linea` does not exist: `torch.nn` has no `Linea`. Did you mean `Linear`?",
        ),
        ({"_target_": [1]}, "instantiate: `_target_` expects something that can be called. Got [1]."),
    ],
)
def test_messages(cfg: Any, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        instantiate(cfg)
    assert str(error.value) == message


def test_an_error_from_inside_the_call_becomes_a_sentence_and_keeps_its_cause() -> None:
    with pytest.raises(ConfigError) as error:
        instantiate(L(raises)(value=3))
    assert str(error.value) == f"value=3: {HERE}.raises says: inside, with 3."
    assert type(error.value.__cause__) is TypeError


def test_a_list_of_weights_is_no_list_of_numbers():
    weights = [torch.nn.Parameter(torch.ones(2, 3))]
    assert isinstance(instantiate({"_target_": torch.optim.SGD, "params": weights, "lr": 0.1}), torch.optim.SGD)
