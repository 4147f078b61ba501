"""``--hosts-from detrex``: the table of live hosts takes the place of the embedded one, overrides come after it."""

import warnings
from pathlib import Path

import pytest
from omegaconf import DictConfig

from dsct_detrex.cli.train import parse
from dsct_detrex.config import get_config, save_config
from dsct_detrex.engine.compose import compose
from dsct_detrex.errors import UserError
from dsct_detrex.integrations.detrex import hosts as live
from dsct_detrex.integrations.detrex import located

PROJECT = Path(__file__).parents[2] / "projects/dino_dsct.py"


def _compose(*words: str, config: Path = PROJECT) -> DictConfig:
    return compose(parse(["-c", str(config), *words]))


def test_embedded_by_default(both_roots: Path) -> None:
    assert str(_compose().hosts.dino._target_).startswith("<class 'dsct_detrex.hosts.")
    assert located() is None


def test_live_on_request(both_roots: Path) -> None:
    cfg = _compose("--hosts-from", "detrex", "hosts.dino.num_queries=300")
    assert set(get_config("common/hosts.py").detrex) <= set(cfg.hosts)
    assert cfg.host.provider == "detrex"
    assert cfg.model.host.num_queries == 300
    assert cfg.model.host._target_.__module__ == "projects.detr.modeling"
    assert cfg.hosts.deta.num_queries == 900


def test_another_host_of_the_live_table(both_roots: Path) -> None:
    cfg = _compose("host.name=align_detr", "--hosts-from", "detrex")
    assert cfg.model.host._target_.__module__ == "projects.detr.modeling"


def test_a_saved_config_remembers_its_provider_and_what_was_changed(both_roots: Path, tmp_path: Path) -> None:
    save_config(_compose("--hosts-from", "detrex", "hosts.dino.num_queries=300"), tmp_path / "config.yaml")
    for words in ((), ("--hosts-from", "detrex")):
        again = _compose(*words, config=tmp_path / "config.yaml")
        assert (again.host.provider, again.model.host.num_queries) == ("detrex", 300)
        assert located() is not None
    back = _compose("--hosts-from", "embedded", config=tmp_path / "config.yaml")
    assert back.host.provider == "embedded"
    assert back.hosts == get_config("common/hosts.py").hosts


def _project(tmp_path: Path, lines: str) -> Path:
    path = tmp_path / "project.py"
    path.write_text(
        "from dsct_detrex.config import get_config\n"
        "train = get_config('common/train.py').train\n"
        "hosts, host = get_config('common/hosts.py').hosts, dict(name='dino')\n" + lines
    )
    return path


def test_a_config_file_may_ask_for_live_hosts(both_roots: Path, tmp_path: Path) -> None:
    cfg = _compose(config=_project(tmp_path, "host['provider'] = 'detrex'"))
    assert cfg.hosts.dino.num_queries == 900
    assert "device" in cfg.hosts.dino


def test_a_table_of_the_files_own_stays(both_roots: Path, tmp_path: Path) -> None:
    lines = "from dsct_detrex.integrations.detrex import host_configs\nhosts = host_configs()\n"
    cfg = _compose(config=_project(tmp_path, lines + "hosts['dino'].num_queries = 7"))
    assert cfg.hosts.dino.num_queries == 7


def test_changes_that_are_lost_are_announced(both_roots: Path, tmp_path: Path) -> None:
    path = _project(tmp_path, "hosts.dino.num_queries = 7")
    with pytest.warns(RuntimeWarning, match="what this config file changed in its embedded dino is not taken over"):
        _compose("--hosts-from", "detrex", config=path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _compose("--hosts-from", "detrex")
        assert _compose("--hosts-from", "embedded", config=path).hosts.dino.num_queries == 7


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--hosts-from", "detectron"), "Command line: --hosts-from expects one of embedded, detrex"),
        (("host.provider=detrex",), "host.provider=detrex comes too late as an override, .*: use --hosts-from detrex"),
        (("--hosts-from", "detrex", "hosts.dino.num_quries=3"), "unknown key `hosts.dino.num_quries`"),
    ],
)
def test_mistakes(words: tuple[str, ...], message: str, both_roots: Path) -> None:
    with pytest.raises(UserError, match=message):
        _compose(*words)


def test_a_host_that_detrex_lacks(both_roots: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    twins = live.live_hosts()
    monkeypatch.setattr(live, "_twins", lambda: {"dino": twins["dino"]})
    with pytest.raises(UserError, match=r"`model\.host` finds nothing: Interpolation key 'hosts\.deta' not found"):
        _compose("--hosts-from", "detrex", "host.name=deta")


def test_mistakes_in_files(both_roots: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"host\.provider expects one of embedded, detrex\. Got 'mmdet'"):
        _compose(config=_project(tmp_path, "host['provider'] = 'mmdet'"))
    with pytest.raises(UserError, match="--hosts-from replaces the table `hosts`, which this config does not have"):
        _compose("--hosts-from", "detrex", config=_project(tmp_path, "del hosts"))


def test_without_detrex(bare: None) -> None:
    with pytest.raises(UserError, match=r"^detrex is not installed: .* set DETREX_ROOT"):
        _compose("--hosts-from", "detrex")
