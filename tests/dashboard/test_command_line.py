"""``dsct dashboard``: files, pushes, exit statuses and sentences."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf

from dsct_detrex.data.catalogue import label_sets
from dsct_detrex.structures import MultiClassEmotions
from dsct_detrex.weights import save_release
from tests.commands import dashboard as main
from tests.dashboard.views import keys, runs

ws = pytest.importorskip("wandb_workspaces.workspaces")
ADDRESS = "https://example.org/me/dsct_detrex?nw=1"


@pytest.fixture(autouse=True)
def saved(no_account: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Workspaces that the library was told to save; it saves none."""
    calls: list[Any] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ws.Workspace, "save", lambda workspace: calls.append(workspace))
    monkeypatch.setattr(ws.Workspace, "url", ADDRESS)
    return calls


@pytest.mark.parametrize(
    ("words", "path", "title"),
    [
        ([], "runs/dashboard/dsct_detrex_caer_s.json", "dsct_detrex, emotions of CAER-S"),
        (["--sweep", "table_10"], "runs/dashboard/table_10_caer_s.json", "table_10, emotions of CAER-S"),
        (["--emotions", "emotic", "--out", "d/x.json"], "d/x.json", "dsct_detrex, emotions of EMOTIC"),
    ],
)
def test_without_push_there_is_a_file(
    words: list[str], path: str, title: str, saved: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--entity", "me", *words]) == 0
    assert capsys.readouterr().out == f"dashboard: {path}\n"
    assert json.loads(Path(path).read_text())["displayName"] == title
    assert saved == []


def test_emotions_of_ones_own_come_from_a_run(tmp_path: Path) -> None:
    names = ["calm", "so, so", 'said "no"', "悲しい/😀"]
    emotions = MultiClassEmotions("moods", names)
    save_release(tmp_path / "best.safetensors", {"a": torch.zeros(1)}, emotions, "")
    block = {"_target_": "dsct_detrex.structures.MultiClassEmotions", "name": "moods", "names": names}
    (tmp_path / "config.yaml").write_text(OmegaConf.to_yaml({"emotions": block}))
    views = []
    for file in ("best.safetensors", "config.yaml"):
        assert main(["--entity", "me", "--emotions", str(tmp_path / file)]) == 0
        views.append(json.loads(Path("runs/dashboard/dsct_detrex_moods.json").read_text()))
    assert views[0]["displayName"] == "dsct_detrex, emotions of moods"
    assert {f"emotion/AP-{name}" for name in names} <= set(keys(views[0]))
    assert keys(views[1]) == keys(views[0])


def test_entity_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_ENTITY", "lab")
    assert main(["--project", "mine"]) == 0
    view = json.loads(Path("runs/dashboard/mine_caer_s.json").read_text())
    assert (view["entity"], view["project"]) == ("lab", "mine")


def test_group_by_reaches_the_dashboard() -> None:
    assert main(["--entity", "me", "--group-by", "model.num_subjects"]) == 0
    view = json.loads(Path("runs/dashboard/dsct_detrex_caer_s.json").read_text())
    assert runs(view)["grouping"] == [{"section": "config", "name": "model.value.num_subjects"}]


def test_push_saves_the_workspace(
    saved: list[Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WANDB_API_KEY", "x" * 40)
    assert main(["--entity", "me", "--sweep", "table_10", "--push"]) == 0
    assert capsys.readouterr().out == f"dashboard: runs/dashboard/table_10_caer_s.json\nin W&B: {ADDRESS}\n"
    assert [(one.entity, one.project, one.name) for one in saved] == [
        ("me", "dsct_detrex", "table_10, emotions of CAER-S")
    ]


def test_push_without_a_key_still_writes_the_file(saved: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--entity", "me", "--push"]) == 2
    assert capsys.readouterr().err == (
        "error: --push needs a W&B API key and there is none: run `wandb login`, or set WANDB_API_KEY, then call this "
        "again. runs/dashboard/dsct_detrex_caer_s.json is written.\n"
    )
    assert json.loads(Path("runs/dashboard/dsct_detrex_caer_s.json").read_text())["entity"] == "me"
    assert saved == []


def test_ctrl_c_is_status_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(workspace: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setenv("WANDB_API_KEY", "x" * 40)
    monkeypatch.setattr(ws.Workspace, "save", stop)
    assert main(["--entity", "me", "--push"]) == 130


NAME = "expects a name of letters, digits, spaces and _ . - that starts with a letter or digit."


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "Say whose project it is, a user or a team of W&B: --entity NAME, or set WANDB_ENTITY."),
        (
            ["--entity", "me", "--emotions", "emotik"],
            f"--emotions expects one of {', '.join(label_sets())}, or a file of a run that names its emotions, its "
            "config.yaml or a release (*.safetensors). Got 'emotik'. Did you mean `emotic`?",
        ),
        (["--entity", "me/mine"], f"--entity {NAME} Got 'me/mine'."),
        (["--entity", "me", "--project", ""], f"--project {NAME} Got ''."),
        (["--entity", "me", "--sweep", "it's"], f'--sweep {NAME} Got "it\'s".'),
        (
            ["--entity", "me", "--group-by", "host."],
            "--group-by expects a key of the config, such as host.name, or cell. Got 'host.'.",
        ),
        (
            ["--entity", "me", "--group-by", "cell"],
            "--group-by cell needs the sweep whose cells they are: --sweep NAME, e.g. table_6.",
        ),
        (["--entity", "me", "--out", "."], ". cannot be written (Is a directory); choose another file with --out."),
    ],
)
def test_mistakes_are_sentences(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert capsys.readouterr().err == f"error: {sentence}\n"
    assert not Path("runs").exists()


@pytest.mark.parametrize("content", ["# notes", '{"mine": 1}', "[]", ""])
def test_a_file_that_is_no_dashboard_is_not_written_over(content: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.json").write_text(content)
    assert main(["--entity", "me", "--out", "mine.json"]) == 2
    assert "mine.json is there and is no dashboard" in capsys.readouterr().err
    assert Path("mine.json").read_text() == content


def test_a_dashboard_is_written_anew() -> None:
    assert main(["--entity", "me"]) == main(["--entity", "me"]) == 0
