"""The table of live hosts, on a checkout of a few lines whose configs have detrex's names and layout."""

import warnings
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from dsct_detrex.config import ConfigError, config_from_yaml, config_to_yaml, get_config, instantiate_trusted
from dsct_detrex.integrations.detrex import LIVE_HOSTS, DetrexError, build_host, host_config, host_configs, locate

from .fake_checkout import detrex_checkout

RELATIVES = {"dn_deformable_detr", "align_detr", "focus_detr", "group_detr", "pnp_detr", "sqr_detr", "dino_eva"}


def test_every_embedded_host_is_in_the_table(both_roots: Path) -> None:
    table = host_configs()
    assert set(get_config("common/hosts.py").hosts) <= set(table)
    assert set(table) >= RELATIVES
    assert tuple(table) == LIVE_HOSTS


def test_loading_the_table_builds_nothing(both_roots: Path) -> None:
    path = both_roots / "projects/detr/modeling/__init__.py"
    path.write_text(path.read_text().replace("super().__init__()", "raise AssertionError('built')"))
    assert all("Host" in str(config._target_) for config in host_configs().values())


def test_what_only_forward_needs_is_left_out(both_roots: Path) -> None:
    for config in host_configs().values():
        assert config.criterion is None
        assert config.device == "cpu"


def test_variants(both_roots: Path) -> None:
    table = host_configs()
    flags = {name: (config.with_box_refine, config.as_two_stage) for name, config in table.items()}
    assert flags.pop("deformable_detr_box_refine") == (True, False)
    assert flags.pop("deformable_detr_two_stage") == (True, True)
    assert flags.pop("h_deformable_detr") == (True, True)
    assert flags.pop("dab_deformable_detr_two_stage") == (False, True)
    assert set(flags.values()) == {(False, False)}
    assert table["group_detr"].transformer.decoder.group_nums == 1


def test_a_relative_that_does_not_load_is_left_out_aloud(both_roots: Path) -> None:
    path = both_roots / "projects/dino_eva/configs/models/dino_eva_02.py"
    path.write_text("import nowhere")
    with pytest.warns(RuntimeWarning, match=r"The live host dino_eva is left out: .*No module named 'nowhere'"):
        assert "dino_eva" not in host_configs()
    path.unlink()
    with pytest.warns(RuntimeWarning, match="dino_eva expects detrex's config .* which does not exist"):
        assert "dino_eva" not in host_configs()


def test_one_of_the_ten_that_does_not_load_is_an_error(both_roots: Path) -> None:
    (both_roots / "projects/detr/configs/models/detr_r50.py").write_text("import nowhere")
    with pytest.raises(DetrexError, match=r"The live host detr: .* does not load: No module named 'nowhere'"):
        host_configs()


def test_build_host_takes_overrides(both_roots: Path) -> None:
    host = build_host("dino", num_queries=300, **{"transformer.decoder.group_nums": 2})
    assert (host.arguments["num_queries"], host.arguments["transformer"]["decoder"]["group_nums"]) == (300, 2)
    assert (build_host("dino").arguments["num_queries"], host_config("dino").num_queries) == (900, 900)


@pytest.mark.parametrize(
    ("name", "overrides", "message"),
    [
        ("dinosaur", {}, "Live hosts are detr, conditional_detr, .*dino_eva. Got 'dinosaur'."),
        ("dino", {"num_query": 3}, r"build_host\('dino'\): its config has no `num_query`; it has num_queries, "),
        ("dino", {"transformer.depth": 3}, r"has no `transformer.depth`"),
        ("dino", {"nowhere.depth": 3}, r"has no `nowhere.depth`"),
    ],
)
def test_mistakes(name: str, overrides: dict[str, int], message: str, both_roots: Path) -> None:
    with pytest.raises(DetrexError, match=message):
        build_host(name, **overrides)


def test_an_installed_detrex_without_projects(
    both_roots: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DETREX_ROOT")
    monkeypatch.syspath_prepend(detrex_checkout(tmp_path / "site", projects=False))
    with pytest.raises(DetrexError, match="which pip does not install: set DETREX_ROOT to a checkout"):
        host_configs()


def test_a_saved_live_host_builds_only_where_live_detrex_was_asked_for(
    both_roots: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = config_to_yaml(host_config("dino"), resolve=True)
    assert "projects.detr.modeling.Host" in text
    live = config_from_yaml(text)
    live.neck = None  # the neck of the little checkout is a dict; the real one is trusted
    monkeypatch.setattr("dsct_detrex.integrations.detrex.installation._located", None)
    with pytest.raises(ConfigError) as refused:
        instantiate_trusted(live)
    assert str(refused.value) == (
        "instantiate_trusted: the config asks for `projects.detr.modeling.Host`, a part of the user's own detrex. If "
        "that is wanted, call dsct_detrex.integrations.detrex.locate() first."
    )
    locate()
    assert instantiate_trusted(live).arguments["num_queries"] == 900
    live._target_ = "projects.detr.modeling.nn.modules.module.torch.load"
    with pytest.raises(ConfigError, match="not on the list of trusted targets"):
        instantiate_trusted(live)


def test_shapes_survive_saving_and_overriding(both_roots: Path) -> None:
    config = config_from_yaml(config_to_yaml(host_config("dino")))
    OmegaConf.update(config, "neck.input_shapes.res3", 128)
    from detectron2.config import instantiate

    shapes = instantiate(config).arguments["neck"]["input_shapes"]
    assert {name: shape.channels for name, shape in shapes.items()} == {"res3": 128, "res4": 1024}


def test_no_warning_where_all_is_well(both_roots: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        host_configs()
