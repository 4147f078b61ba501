"""The table of live hosts, on a checkout of a few lines whose configs have detrex's names and layout."""

import warnings
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from dsct_detrex.config import ConfigError, config_from_yaml, config_to_yaml, get_config, instantiate_trusted
from dsct_detrex.integrations.detrex import DetrexError, build_host, host_config, host_configs, live_hosts, locate

from .fake_checkout import detrex_checkout

PROJECTS = Path(__file__).parents[2] / "projects"
RELATIVES = {"dn_deformable_detr", "align_detr", "focus_detr", "group_detr", "pnp_detr", "sqr_detr", "dino_eva"}


def test_every_kind_of_host_is_in_the_table(both_roots: Path) -> None:
    table = host_configs()
    kinds = {path.stem.removesuffix("_dsct") for path in PROJECTS.glob("*_dsct.py")}
    assert kinds | RELATIVES <= set(table)
    assert list(table) == list(live_hosts())


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
    assert table["deformable_detr_two_stage"].with_box_refine
    assert not table["deformable_detr"].with_box_refine
    assert table["anchor_detr_mha"].transformer.attention_type == "nn.MultiheadAttention"
    for name, source in live_hosts().items():
        found = {key: OmegaConf.select(table[name], key) for key in source.changes}
        assert found == source.changes, name


def test_a_host_that_detrex_lacks_is_left_out(both_roots: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = get_config("common/hosts.py")
    del table.detrex.dino
    monkeypatch.setattr("dsct_detrex.config.get_config", lambda name: table)
    assert "dino" not in host_configs()
    with pytest.raises(DetrexError, match=r"Live hosts are .*\. Got 'dino'\."):
        host_config("dino")


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
        ("dinosaur", {}, "Live hosts are anchor_detr, anchor_detr_mha, .*dino_eva. Got 'dinosaur'."),
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
        "that is wanted, say --hosts-from detrex, or call dsct_detrex.integrations.detrex.locate() first."
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
