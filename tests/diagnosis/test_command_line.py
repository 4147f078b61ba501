"""``dsct info --fusion`` as a user runs it, on tiny untrained checkpoints."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from dsct_detrex.cli.running import run_command
from dsct_detrex.data.synthetic import SyntheticScenes
from dsct_detrex.diagnosis.measures import MEASURES
from dsct_detrex.explain.groups import GROUPS
from dsct_detrex.explain.reading import Reading
from dsct_detrex.structures import MultiClassEmotions
from dsct_detrex.weights import load_release, save_release
from tests.prediction.tiny_release import tiny_config, write_release


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs ``fuses``, ``control`` and ``blind``, trained on scenes of 64 x 48."""
    folder = tmp_path_factory.mktemp("runs")
    data = tiny_config().dataloader
    data.test.dataset.size = (64, 48)
    write_release(folder / "fuses" / "best.safetensors", dataloader=data)
    control, blind = tiny_config().model, tiny_config().model
    control.aggregation.gather = "self"
    blind.aggregation, blind.use_contexts = None, False
    write_release(folder / "control" / "best.safetensors", dataloader=data, model=control)
    write_release(folder / "blind" / "best.safetensors", dataloader=data, model=blind)
    return folder


@pytest.fixture
def _found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Reading, "speakers", lambda _, picture, people: list(range(len(people))))


def info(*words: object) -> int:
    return run_command("info", ["--fusion", *map(str, words), "--device", "cpu"])


@pytest.mark.usefixtures("_found")
def test_table_json_and_picture(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "out"
    names = ("fuses", "control", "blind")
    assert info(*(folder / name for name in names), "--images", 2, "--out", out) == 0
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines()[:-1])) <= 100
    assert "blind: has no contexts to take in (model.use_contexts=False)." in said
    content = json.loads((out / "fusion.json").read_text())
    assert content["measures"] == MEASURES
    assert content["groups"] == list(GROUPS)
    fuses, control, blind = content["checkpoints"]
    assert [one["name"] for one in content["checkpoints"]] == list(names)
    assert (fuses["images"], blind["images"]) == (2, 0)
    assert "64 x 48 pixels" in fuses["pictures"]
    assert blind["layers"] == []
    assert control["layers"][0]["people"]["largest"] is None
    for name, words in MEASURES.items():
        value = fuses["layers"][0]["people"][name]
        assert f"  {words:<44}{value:>9.{1 if value >= 10 else 2}f}" in said
    assert Image.open(out / "fusion.png").width > 1000
    assert info(folder / "blind", "--out", out) == 0
    assert json.loads((out / "fusion_1.json").read_text()) == content, "what was there is kept"
    assert (out / "fusion.png").is_file(), "no new picture took its place"


def test_json_is_printed_alone(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert info(folder / "fuses", "--images", 1, "--out", tmp_path, "--json") == 0
    assert json.loads(capsys.readouterr().out) == json.loads((tmp_path / "fusion.json").read_text())


def test_whoever_finds_nobody_is_told(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert info(folder / "fuses", "--images", 1, "--out", tmp_path) == 0
    said = capsys.readouterr().out
    assert "0 of 3 people found" in " ".join(said.split())
    (row,) = json.loads((tmp_path / "fusion.json").read_text())["checkpoints"][0]["layers"]
    assert set(row["people"].values()) == {None}
    assert None not in row["subjects"].values()


def test_foreign_emotions_have_no_loss(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_release(tmp_path / "m.safetensors")
    release = load_release(path)
    moods = MultiClassEmotions("moods", tuple("abcdefg"))
    save_release(path, release.state_dict, moods, release.config, release.thresholds)
    assert info(path, "--images", 1, "--out", tmp_path) == 0
    assert "annotated with caer_s, and the model reads moods." in " ".join(capsys.readouterr().out.split())


def test_a_data_set_is_read_by_its_name(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def split_named(*words: Any) -> SyntheticScenes:
        asked.append(words)
        return SyntheticScenes("caer_s", "val", 3, size=(64, 48))

    monkeypatch.setattr("dsct_detrex.diagnosis.command_line.split_named", split_named)
    words = ("--data", "emotic", "--data-root", tmp_path, "--split", "val", "--images", 2)
    assert info(folder / "fuses", *words, "--out", tmp_path) == 0
    assert asked == [("emotic", str(tmp_path), "val", "info --fusion")]
    (row,) = json.loads((tmp_path / "fusion.json").read_text())["checkpoints"]
    assert row["pictures"].startswith("the first 2 of synthetic_caer_s_val")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["a.pth", "--images", "3"], "info: --images is read by --fusion, which runs a checkpoint; add --fusion, or"),
        (["--data-root", "x"], "info: --data-root is read by --fusion"),
        (["--fusion"], "info: --fusion expects one checkpoint or more, e.g. runs/demo/dsct. Got none."),
        (["--fusion", "a", "--split", "val"], "info: --split needs --data NAME, one of "),
        (["--fusion", "nowhere"], "nowhere does not exist"),
    ],
)
def test_mistakes_are_one_sentence(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command("info", words) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


def test_an_unknown_data_set_is_one_sentence(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert info(folder / "fuses", "--data", "emotik", "--out", tmp_path) == 2
    assert "info --fusion: there is no data set 'emotik'. Did you mean `emotic`?" in capsys.readouterr().err


def test_out_must_be_a_folder(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    taken = tmp_path / "taken"
    taken.write_text("")
    assert info(folder / "fuses", "--out", taken) == 2
    assert f"info: --out expects a folder. Got {taken}, which is a file." in capsys.readouterr().err
