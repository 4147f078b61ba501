"""Copies of configs: what omegaconf's own copies are, and independent of the original."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig, ListConfig, OmegaConf

from dsct_detrex.config import LazyCall, load_config
from dsct_detrex.config.copies import as_config, duplicate

PROJECT = Path(__file__).parents[2] / "projects" / "dino_dsct.py"


@dataclass
class Typed:
    number: int = 1
    text: str | None = None


CONFIGS: dict[str, Any] = {
    "empty": OmegaConf.create({}),
    "null": DictConfig(None),
    "special": OmegaConf.create({"a": "???", "b": None, "c": "${b}", "d": {"e": "${..b}", "f": "${.e}"}}),
    "lists": OmegaConf.create([1, [2, {"a": 3}], None]),
    "keys": OmegaConf.create({1: "a", "true": "b", 2.5: [{}]}),
    "typed": OmegaConf.create({"a": Typed(), "b": OmegaConf.structured(Typed)}),
    "objects": DictConfig({"f": max, "m": [pytest]}, flags={"allow_objects": True}),
    "flags": DictConfig({"a": {"b": 1}}, flags={"struct": True, "readonly": True}),
    "pointer": OmegaConf.create({"a": {"n": 1}, "b": "${a}"}),
    "project": load_config(PROJECT),
}


def described(node: Any, parent: Any) -> Iterator[Any]:
    """Everything omegaconf keeps of a node and of all below it; what the parent is, as whether it is the right one."""
    kept = dict(vars(node))
    content = kept.pop("_content", None)
    kept.pop("_flags_cache")
    yield type(node), kept.pop("_parent") is parent, vars(kept.pop("_metadata")), sorted(kept.items())
    if isinstance(content, (dict, list)):
        yield list(content)[: len(content) if isinstance(content, dict) else 0], len(content)
        for child in content.values() if isinstance(content, dict) else content:
            yield from described(child, node)
    else:
        yield content


@pytest.mark.parametrize("name", CONFIGS)
def test_a_copy_is_omegaconfs_own(name: str) -> None:
    made, theirs = duplicate(CONFIGS[name]), copy.deepcopy(CONFIGS[name])
    assert list(described(made, None)) == list(described(theirs, None))


def test_a_copy_is_independent() -> None:
    cfg = OmegaConf.create({"a": {"b": [1, {"c": 2}]}, "d": "${a.b}"})
    made = duplicate(cfg)
    made.a.b[1].c = 3
    made.a.new = 4
    assert cfg == {"a": {"b": [1, {"c": 2}]}, "d": "${a.b}"}
    assert made.d[1].c == 3
    OmegaConf.set_readonly(made, True)
    cfg.a.b = 5


def test_a_node_keeps_its_surroundings() -> None:
    cfg = OmegaConf.create({"n": 1, "a": {"b": "${n}"}})
    made = duplicate(cfg.a)
    cfg.n = 2
    assert made.b == 1
    assert made._get_root() is not cfg


def test_plain_data_is_copied_and_everything_else_is_shared() -> None:
    node, thing = OmegaConf.create({"a": 1}), object()
    given = {"x": [node, node], "y": (node, {thing}), "z": thing}
    made = duplicate(given)
    assert made == given
    assert made["x"][0] is made["x"][1] is made["y"][0]
    assert made["x"][0] is not node
    assert made["z"] is thing


def test_one_node_in_several_places_of_a_config_is_several_nodes() -> None:
    node = LazyCall(dict)(a=1)
    cfg = as_config({"x": node, "y": node, "deep": {"z": node, "l": [node]}})
    cfg.x.a = 2
    cfg.deep.l[0].a = 3
    assert (node.a, cfg.y.a, cfg.deep.z.a) == (1, 1, 1)
    nodes = (cfg.x, cfg.y, cfg.deep.z, cfg.deep.l[0])
    assert len({id(one) for one in nodes}) == 4
    plain = DictConfig({"x": node, "y": node, "deep": {"z": node, "l": [node]}})
    theirs = (plain.x, plain.y, plain.deep.z, plain.deep.l[0])
    assert [one._get_full_key(None) for one in nodes] == [one._get_full_key(None) for one in theirs]


def test_what_is_set_in_a_config_later_is_copied_as_ever() -> None:
    cfg, node = as_config({"x": {}}), OmegaConf.create({"a": 1})
    cfg.x.y = node
    node.a = 2
    assert cfg.x.y.a == 1
    assert isinstance(as_config({"l": [1]}).l, ListConfig)
