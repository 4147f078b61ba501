"""The detector that comes with the project: found from anywhere, small, and all that DSCT has a place for is taken."""

from pathlib import Path

import pytest
import torch

from dsct_detrex.config import load_config
from dsct_detrex.demo.command_line import OBJECTS as START
from dsct_detrex.engine.build import build_model, read_settings
from dsct_detrex.engine.initial_weights import load_initial_weights
from dsct_detrex.paths import own_project_file, projects_folder


def test_the_demo_finds_it_in_any_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cfg = load_config(projects_folder() / "demo.py")
    assert not cfg.train.init_checkpoint, "any host and size can be trained from scratch"
    cfg.train.init_checkpoint = START
    settings = read_settings(cfg)
    model = build_model(cfg, torch.device("cpu"), "none")
    start = load_initial_weights(model, settings, None, eval_only=False)
    assert "194 of 210 tensors loaded" in start.text
    (note,) = start.notes
    fresh = note.partition("start afresh: ")[2].rstrip(".").split(", ")
    own = ("host.class_embed.", "heads.bbox_embed.", "subject_queries.")
    assert all(name.startswith(own) or name == "2 more" or name.endswith("more") for name in fresh), fresh


def test_it_fits_into_a_repository() -> None:
    assert (projects_folder() / "demo_objects.safetensors").stat().st_size < 10e6


def test_a_file_of_the_users_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Path(own_project_file(START)).samefile(projects_folder() / "demo_objects.safetensors")
    (tmp_path / "projects").mkdir()
    (tmp_path / START).write_bytes(b"mine")
    assert own_project_file(START) == START


@pytest.mark.parametrize(
    "text", ["", "best.safetensors", "projects/none.pth", "runs/projects/demo_objects.safetensors"]
)
def test_other_names_stay(text: str) -> None:
    assert own_project_file(text) == text
