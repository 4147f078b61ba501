"""``~`` in every path that a user gives: flags, overrides, settings, built objects; never a folder called ``~``."""

from pathlib import Path

import pytest

from dsct_detrex.cli.convert import build_parser as convert
from dsct_detrex.cli.dashboard import build_parser as dashboard
from dsct_detrex.cli.data import build_parser as data
from dsct_detrex.cli.predict import build_parser as predict
from dsct_detrex.cli.sweep import build_parser as sweep
from dsct_detrex.cli.train import build_parser as train
from dsct_detrex.config import LazyCall, instantiate, load_config
from dsct_detrex.config.building import instantiate as build
from dsct_detrex.config.override_grammar import parse_override
from dsct_detrex.data import EmoticDataset
from dsct_detrex.engine.settings import TrainSettings
from dsct_detrex.errors import UserError
from dsct_detrex.paths import expanded, user_path
from dsct_detrex.prediction.pictures import find_pictures
from dsct_detrex.weights import read_checkpoint


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.mark.parametrize(
    ("parser", "words", "name"),
    [
        (train, ["--config=~/x"], "config"),
        (train, ["--data-root=~/x"], "data_root"),
        (predict, ["~/x", "photo.jpg"], "checkpoint"),
        (predict, ["model", "photo.jpg", "--out=~/x"], "out"),
        (sweep, ["--config=~/x"], "config"),
        (sweep, ["--data-root=~/x"], "data_root"),
        (sweep, ["--output-dir=~/x"], "output_dir"),
        (convert, ["~/x", "b.pth"], "source"),
        (convert, ["a.pth", "~/x"], "output"),
        (convert, ["a.pth", "b.pth", "--config=~/x"], "config"),
        (data, ["check", "--root=~/x"], "data_root"),
        (data, ["check", "--root=d", "--json=~/x"], "json"),
        (data, ["check", "--root=d", "--annotations=~/x"], "annotations"),
        (data, ["show", "--root=d", "--out=~/x"], "out"),
        (data, ["generate", "--format=emotic", "--out=~/x"], "out"),
        (dashboard, ["--out=~/x"], "out"),
    ],
)
def test_flags(parser, words, name, home):
    assert Path(getattr(parser().parse_args(words), name)) == home / "x"


def test_overrides_and_settings(home):
    assert parse_override("train.output_dir=~/x").value == "~/x"
    assert parse_override("a=[~/x,~/y]").value == ["~/x", "~/y"]
    settings = TrainSettings.read({"output_dir": "~/x", "init_checkpoint": "~/y.pth"})
    assert settings.output_dir == str(home / "x")
    assert settings.init_checkpoint == str(home / "y.pth")


def test_what_a_config_builds_gets_the_expanded_path(home):
    assert build(LazyCall(dict)(root="~/x", name="a~b")) == {"root": str(home / "x"), "name": "a~b"}
    cfg = LazyCall("dsct_detrex.data.EmoticDataset")(root="~/emotic", split="train")
    with pytest.raises(UserError, match=str(home / "emotic")):
        build(cfg)


def test_readers(home):
    (home / "c.yaml").write_text("a: 1\n")
    assert load_config("~/c.yaml").a == 1
    with pytest.raises(UserError, match=str(home / "nowhere.pth")):
        read_checkpoint("~/nowhere.pth")


def test_other_text_stays(home):
    assert expanded("a/~/b") == "a/~/b"
    assert user_path("~") == home
    assert instantiate(3) == 3


def test_the_home_of_nobody_is_a_name_like_any_other() -> None:
    """``Path.expanduser`` raises a ``RuntimeError`` for it."""
    with pytest.raises(UserError, match="~nobody-here/photos is neither a file nor a folder"):
        find_pictures(["~nobody-here/photos"])
    with pytest.raises(UserError, match="~nobody-here/emotic"):
        EmoticDataset("~nobody-here/emotic", "test")
