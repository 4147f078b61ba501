"""``dsct explain`` as a user runs it, on tiny untrained checkpoints."""

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from dsct_detrex.cli.running import run_command
from dsct_detrex.explain.checkpoint import open_checkpoint, short_names
from dsct_detrex.explain.groups import GROUPS
from dsct_detrex.explain.reading import Reading
from dsct_detrex.structures import MultiClassEmotions
from dsct_detrex.weights import load_release, save_release
from tests.prediction.tiny_release import tiny_config, write_release


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs ``looks`` and ``blind`` (without fusion), trained on scenes of 64 x 48."""
    folder = tmp_path_factory.mktemp("runs")
    data = tiny_config().dataloader
    data.test.dataset.size = (64, 48)
    data.test.dataset.boxes = "body"
    write_release(folder / "looks" / "best.safetensors", dataloader=data)
    blind = tiny_config().model
    blind.aggregation, blind.use_contexts = None, False
    write_release(folder / "blind" / "best.safetensors", dataloader=data, model=blind)
    return folder


@pytest.fixture
def _found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Reading, "speakers", lambda _, picture, people: list(range(len(people))))


def explain(*words: object) -> int:
    return run_command("explain", [*map(str, words), "--device", "cpu"])


@pytest.mark.usefixtures("_found")
def test_table_json_page_and_picture(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "out"
    assert explain(folder / "looks", folder / "blind", "--scenes", 2, "--out", out) == 0
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= max(80, len(f"written: {out / 'explanation'}.json, .md and .png"))
    assert "blind: takes in no contexts, so there is no weight to be shared." in said
    content = json.loads((out / "explanation.json").read_text())
    looks, blind = content["checkpoints"]
    assert (looks["name"], blind["name"]) == ("looks", "blind")
    assert content["groups"] == list(GROUPS)
    assert [row["layer"] for row in looks["shares"]] == ["all layers", "layer 1"]
    assert "64 x 48 pixels" in looks["scenes"]
    assert "body boxes" in looks["scenes"]
    assert looks["note"] == ""
    assert blind["shares"] == []
    assert {row["cause"] for row in blind["changes"]} >= {"own face", "place"}
    page = (out / "explanation.md").read_text()
    for row in looks["shares"]:
        assert f"| looks | {row['layer']} | {' | '.join(f'{100 * share:.1f}' for share in row['weight'])} |" in page
    for share in looks["shares"][0]["weight"]:
        assert f"{100 * share:.1f}" in said
    assert Image.open(out / "explanation.png").width > 1000
    assert explain(folder / "blind", "--scenes", 1, "--out", out) == 0
    assert json.loads((out / "explanation_1.json").read_text()) == content, "what was there is kept"


def test_whoever_finds_nobody_is_told(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(folder / "looks", "--scenes", 1, "--out", tmp_path) == 0
    said = capsys.readouterr().out
    assert "looks: found nobody, so nobody's contexts can be looked at." in said
    assert (tmp_path / "explanation.png").is_file()


def test_other_emotions_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_release(tmp_path / "m.safetensors")
    release = load_release(path)
    moods = MultiClassEmotions("moods", tuple("abcdefg"))
    save_release(path, release.state_dict, moods, release.config, release.thresholds)
    assert explain(path, "--out", tmp_path / "o") == 2
    assert capsys.readouterr().err == (
        f"error: explain: drawn scenes show the emotions of caer_s or emotic, whose causes are known. {path} reads "
        "those of moods; nothing can be measured.\n"
    )
    assert not (tmp_path / "o").exists()


def test_a_file_for_a_folder_is_refused(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "taken").write_text("mine")
    assert explain(folder / "looks", "--out", tmp_path / "taken") == 2
    assert "--out expects a folder" in capsys.readouterr().err
    assert (tmp_path / "taken").read_text() == "mine"


def test_scenes_of_other_data_are_of_the_default_size(tmp_path: Path) -> None:
    data = tiny_config().dataloader
    data.test.dataset = {"_target_": "dsct_detrex.data.sets.caer_s.CaerS", "root": "somewhere", "split": "test"}
    path = write_release(tmp_path / "best.safetensors", dataloader=data)
    subject = open_checkpoint(str(path), 3, torch.device("cpu"))
    assert subject.scenes.description.startswith("synthetic_caer_s_test: 3 drawn scenes of 356 x 200 pixels")
    assert subject.fuses


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["runs/dsct/best.safetensors"], ["dsct"]),
        (["a/dsct/best.safetensors", "b/dsct/last.safetensors"], ["a/dsct", "b/dsct"]),
        (["runs/dsct", "runs/equal"], ["dsct", "equal"]),
        (["one.safetensors", "two.safetensors"], ["one", "two"]),
        (["runs/lr.5", "runs/lr.6"], ["lr.5", "lr.6"]),
        (["m/a.pth", "m/a.pth"], ["a (1)", "a (2)"]),
        (["s/paper/seed0", "s/equal/seed1/last.safetensors"], ["paper/seed0", "equal/seed1"]),
        (["s/paper/seed0", "t/paper/seed0"], ["s/paper/seed0", "t/paper/seed0"]),
    ],
)
def test_names_are_short_and_differ(paths: list[str], names: list[str]) -> None:
    assert short_names(paths) == names
