"""Overrides are strict about keys and kinds, and careful with interpolations."""

from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf

from dsct_detrex.config.errors import ConfigError
from dsct_detrex.config.interpolations import materialise
from dsct_detrex.config.lazy import LazyCall as L
from dsct_detrex.config.overrides import apply_overrides, dotted_keys

from .callables import Pair


def config() -> DictConfig:
    """The shape of a project config: a table of hosts, one of them chosen by an interpolation."""
    return DictConfig(
        {
            "train": {
                "max_iter": 90000,
                "init_checkpoint": "",
                "max_epoch": None,
                "amp": {"enabled": False, "dtype": "bfloat16"},
                "layers": [{"dim": 1}, {"dim": 2}],
                "milestones": [40, 50],
            },
            "optimizer": L(Pair)(first="${.lr}", lr=1e-4),
            "host": {"name": "dino"},
            "hosts": {
                "shared": 7,
                "dino": L(Pair)(
                    num_queries=900,
                    num_classes=80,
                    criterion=L(Pair)(num_classes="${..num_classes}", outside="${...shared}", deep=["${....shared}"]),
                    top="${..shared}",
                ),
                "detr": L(Pair)(num_queries=100, num_classes=91),
            },
            "model": L(Pair)(host="${hosts.${host.name}}", queries="${.host.num_queries}"),
        },
        flags={"allow_objects": True},
    )


def changed(*overrides: str) -> DictConfig:
    return apply_overrides(config(), overrides)


def message(*overrides: str) -> str:
    with pytest.raises(ConfigError) as error:
        changed(*overrides)
    return str(error.value)


@pytest.mark.parametrize(
    ("override", "key", "value"),
    [
        ("train.max_iter=10", "train.max_iter", 10),
        ("train.init_checkpoint=detectron2://x/R-50.pkl", "train.init_checkpoint", "detectron2://x/R-50.pkl"),
        ("train.max_iter=null", "train.max_iter", None),
        ("train.max_epoch=3", "train.max_epoch", 3),
        ("train.max_epoch={a:1}", "train.max_epoch", {"a": 1}),
        ("train.amp={enabled:true}", "train.amp", {"enabled": True, "dtype": "bfloat16"}),
        ("train.amp={_target_:x.y}", "train.amp", {"_target_": "x.y"}),
        ("train.amp=null", "train.amp", None),
        ("train.amp=${host}", "train.amp", {"name": "dino"}),
        ("train.layers.1.dim=5", "train.layers", [{"dim": 1}, {"dim": 5}]),
        ("train.layers[0].dim=5", "train.layers", [{"dim": 5}, {"dim": 2}]),
        ("train.milestones[1]=60", "train.milestones", [40, 60]),
        ("train.milestones=[1,2,3]", "train.milestones", [1, 2, 3]),
        ("+train.milestones.2=60", "train.milestones", [40, 50, 60]),
        ("~train.milestones[0]", "train.milestones", [50]),
        ("+train.new.key=1", "train.new", {"key": 1}),
        ("+train.max_epoch.key=1", "train.max_epoch", {"key": 1}),
        ("+train.max_iter=1", "train.max_iter", 1),
        ("+train.amp={new:1}", "train.amp", {"enabled": False, "dtype": "bfloat16", "new": 1}),
        ("~train.amp.dtype", "train.amp", {"enabled": False}),
        ("optimizer.lr=1", "optimizer.first", 1),
    ],
)
def test_changes(override: str, key: str, value: Any) -> None:
    assert OmegaConf.select(changed(override), key) == value


def test_changes_in_place_and_nothing_else() -> None:
    cfg = config()
    assert apply_overrides(cfg, ["train.max_iter=1"]) is cfg
    expected = config()
    expected.train.max_iter = 1
    assert cfg == expected
    assert apply_overrides(config(), []) == config()


def test_the_last_one_wins_and_deleting_makes_room() -> None:
    assert changed("train.max_iter=1", "train.max_iter=2").train.max_iter == 2
    assert changed("~train.max_iter", "+train.max_iter={a:1}").train.max_iter == {"a": 1}


def test_an_override_behind_an_interpolation_changes_a_copy_there() -> None:
    cfg = changed("model.host.num_queries=10", "model.host.num_classes=26")
    assert cfg.model.host._target_ is Pair
    assert cfg.model.queries == 10
    assert cfg.model.host.criterion.num_classes == 26, "a relative interpolation inside the copy must see the copy"
    assert cfg.model.host.criterion.outside == 7, "one that leads out of the copy must still find its old aim"
    assert cfg.model.host.criterion.deep == [7]
    assert cfg.model.host.top == 7
    assert cfg.hosts == config().hosts
    assert OmegaConf.to_container(cfg.model.host, resolve=False)["criterion"]["num_classes"] == "${..num_classes}"


@pytest.mark.parametrize("flip", [False, True])
def test_the_choice_of_the_host_comes_before_changes_to_it(flip: bool) -> None:
    overrides = ["model.host.num_queries=10", "host.name=detr"]
    cfg = changed(*(reversed(overrides) if flip else overrides))
    assert (cfg.model.host.num_queries, cfg.model.host.num_classes) == (10, 91)


@pytest.mark.parametrize("flip", [False, True])
def test_a_top_level_choice_comes_first_too(flip: bool) -> None:
    cfg = DictConfig(
        {"host": "a", "hosts": {"a": {"n": 1, "m": 1}, "b": {"n": 2, "m": 2}}, "model": "${hosts.${host}}"}
    )
    overrides = ["model.n=10", "host=b"]
    apply_overrides(cfg, overrides[::-1] if flip else overrides)
    assert (cfg.model.n, cfg.model.m) == (10, 2)


def test_a_replaced_table_comes_before_changes_to_it() -> None:
    cfg = changed("train.amp.enabled=true", "train={_target_:x.y,amp:{enabled:false}}")
    assert cfg.train == {"_target_": "x.y", "amp": {"enabled": True}}


def test_merging_a_mapping_behind_an_interpolation_keeps_the_table() -> None:
    cfg = changed("model.host={num_queries:10}")
    assert (cfg.model.host.num_queries, cfg.model.host.num_classes, cfg.hosts.dino.num_queries) == (10, 80, 900)


def test_deleting_and_adding_behind_an_interpolation_keep_the_table() -> None:
    cfg = changed("~model.host.criterion", "+model.host.new=1")
    assert "criterion" not in cfg.model.host
    assert (cfg.model.host.new, cfg.hosts) == (1, config().hosts)


def test_interpolations_in_chains_are_all_copied() -> None:
    cfg = DictConfig({"a": {"x": 1}, "b": {"a": "${a}"}, "c": "${b}"})
    apply_overrides(cfg, ["c.a.x=2"])
    assert cfg == {"a": {"x": 1}, "b": {"a": {"x": 1}}, "c": {"a": {"x": 2}}}


def test_materialise_anchors_what_leads_to_the_root_and_through_lists() -> None:
    cfg = DictConfig(
        {
            "z": 5,
            "list": [{"v": "${..1.w}"}, {"w": "${...z}", "s": "${oc.select:...z,0}", "e": "\\${..x}"}],
            "here": None,
        }
    )
    cfg.here = {"below": {"deeper": "${list.1}", "first": "${list.0}"}}
    materialise(cfg.here.below, "deeper")
    materialise(cfg.here.below, "first")
    assert OmegaConf.to_container(cfg.here.below, resolve=True) == {
        "deeper": {"w": 5, "s": 5, "e": "${..x}"},
        "first": {"v": 5},
    }
    cfg.z = 6
    assert cfg.here.below.deeper.w == 6


def test_a_choice_with_a_default_is_followed_too() -> None:
    cfg = DictConfig({"hosts": {"a": {"n": 1}}, "model": "${hosts.${oc.select:host,a}}"})
    assert apply_overrides(cfg, ["model.n=2"]).model.n == 2


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (
            ["train.max_iters=10"],
            "Override `train.max_iters=10`: unknown key `train.max_iters`. Did you mean `train.max_iter`? "
            "Write `+train.max_iters=10` to add a new key.",
        ),
        (
            ["lr=1"],
            "Override `lr=1`: unknown key `lr`. Did you mean `optimizer.lr`? Write `+lr=1` to add a new key.",
        ),
        (
            ["host.zzz=1"],
            "Override `host.zzz=1`: unknown key `host.zzz`. Known keys there: name. Write `+host.zzz=1` to add a new "
            "key.",
        ),
        (
            ["model.host.num_querys=1"],
            "Override `model.host.num_querys=1`: unknown key `model.host.num_querys`. Did you mean "
            "`model.host.num_queries`? Write "
            "`+model.host.num_querys=1` to add a new key.",
        ),
        (
            ["train.amp={enable:true}"],
            "Override `train.amp={enable:true}`: unknown key `train.amp.enable`. Did you mean `train.amp.enabled`? "
            "Write `+train.amp.enable=...` to add a new key.",
        ),
        (
            ["~train.qqqq"],
            "Override `~train.qqqq`: there is no key `train.qqqq`. Known keys there: max_iter, init_checkpoint, "
            "max_epoch, amp, layers, milestones.",
        ),
        (
            ["train.max_epoch.x=1"],
            "Override `train.max_epoch.x=1`: unknown key `train.max_epoch.x`. Did you mean `train.max_epoch`? "
            "Write `+train.max_epoch.x=1` to add a new key.",
        ),
        (
            ["train.max_iter.x=1"],
            "Override `train.max_iter.x=1`: `train.max_iter.x` cannot be set, because `train.max_iter` is the value "
            "90000, not a mapping.",
        ),
        (
            ["train.amp=true"],
            "Override `train.amp=true`: `train.amp` would replace a mapping by the value True. Set a key inside it, "
            "such as `train.amp.enabled`, or write null or an interpolation ${...}.",
        ),
        (
            ["model.host=detr"],
            "Override `model.host=detr`: `model.host` would replace a mapping (chosen by an interpolation) by the "
            "value "
            "'detr'. Set a key inside it, such as `model.host.num_queries`, or write null or an interpolation ${...}.",
        ),
        (
            ["train.max_iter={a:1}"],
            "Override `train.max_iter={a:1}`: `train.max_iter` would replace the value 90000 by a mapping. To do so "
            "all "
            "the same, write `~train.max_iter` and `+train.max_iter=...`.",
        ),
        (
            ["+train.milestones.7=1"],
            "Override `+train.milestones.7=1`: `train.milestones.7` cannot be added: the next item of this list would "
            "be `train.milestones.2`.",
        ),
        (
            ["host.name=dinoo"],
            "After the overrides, the interpolation at `model.host` finds nothing: Interpolation key 'hosts.dinoo' not "
            "found. Did you mean `hosts.dino`?",
        ),
        (
            ["host.name=dinoo", "model.host.num_queries=3"],
            "Override `model.host.num_queries=3`: `model.host.num_queries` leads through an interpolation that finds "
            "nothing: Interpolation key 'hosts.dinoo' not found. Did you mean `hosts.dino`?",
        ),
    ],
)
def test_messages(overrides: list[str], expected: str) -> None:
    assert message(*overrides) == expected


def test_what_omegaconf_refuses_is_a_user_error() -> None:
    assert message("+train.new={null:1}").startswith(
        "Override `+train.new={null:1}`: `train.new` is not accepted by omegaconf: "
    )


def test_an_interpolation_that_was_broken_before_may_stay_so() -> None:
    cfg = DictConfig({"a": "${filled_in_by_the_script}", "b": 1})
    assert apply_overrides(cfg, ["b=2"]).b == 2


def test_dotted_keys_enter_interpolated_mappings() -> None:
    cfg = DictConfig({"a": {"x": [1, {"y": 2}]}, "b": "${a}", "gone": "${nowhere}", "m": "???"})
    assert dotted_keys(cfg) == [
        "a", "a.x", "a.x.0", "a.x.1", "a.x.1.y", "b", "b.x", "b.x.0", "b.x.1", "b.x.1.y", "gone", "m",
    ]  # fmt: skip


def test_dotted_keys_of_a_circle_end() -> None:
    cfg = DictConfig({"a": {"b": "${c}"}, "c": {"d": "${a}"}})
    assert dotted_keys(cfg) == ["a", "a.b", "a.b.d", "c", "c.d", "c.d.b"]


@pytest.mark.parametrize("override", ["train.max_iters=10", "train.max_iter.x=1", "~nothing"])
def test_a_wrong_key_is_a_key_error_too(override: str) -> None:
    """As for a detectron2 user; its text is the sentence, without the quotes of a KeyError."""
    cfg = DictConfig({"train": {"max_iter": 1}})
    with pytest.raises(KeyError) as error:
        apply_overrides(cfg, [override])
    assert str(error.value).startswith(f"Override `{override}`: ")
