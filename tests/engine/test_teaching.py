"""A run whose start teaches its contexts: begun, released without the teacher, resumed, and refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from dsct_detrex.cli.train import parse
from dsct_detrex.engine.compose import compose
from dsct_detrex.engine.train_run import TrainResult, run
from dsct_detrex.errors import UserError
from dsct_detrex.prediction import Predictor
from dsct_detrex.weights import load_release
from tests.engine.test_detector_runs import DRAWN, SHORT, SMALL, trained

TAUGHT = (
    "model.context_detection.teacher_threshold=0.02",
    "train.max_iter=4",
    "train.checkpointer.period=2",
    "train.eval_period=4",
    "train.log_period=1",
    "dataloader.train.total_batch_size=2",
    "train.report.enabled=False",
    "hosts.deformable_detr.num_classes=44",
)


def taught(folder: Path, *words: str, resume: bool = False) -> TrainResult:
    cfg = compose(
        parse(["--config", "demo", *SMALL, *DRAWN, *TAUGHT, *words, f"train.output_dir={folder}"]), lambda _: None
    )
    return run(cfg, quiet=True, resume=resume)


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("start")
    trained(folder, "--config", "demo_objects", *SHORT, *DRAWN)
    return folder / "last.safetensors"


@pytest.fixture(scope="module")
def whole(start: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    result = taught(folder, f"train.init_checkpoint={start}")
    assert {"loss_class_objects", "loss_bbox_objects", "loss_giou_objects_0"} <= set(result.metrics)
    assert result.metrics["loss_bbox_objects"] > 0, "the teacher found something"
    return folder


def last(folder: Path) -> dict[str, torch.Tensor]:
    content: dict[str, torch.Tensor] = torch.load(folder / "last.pth", weights_only=True)
    return content


def halfway(whole: Path, folder: Path) -> Path:
    """The folder of the run as it was after half of it."""
    folder.mkdir()
    shutil.copy(whole / "last.prev.pth", folder / "last.pth")
    return folder


def test_the_teacher_is_in_no_file(whole: Path, start: Path) -> None:
    weights = load_release(whole / "last.safetensors").state_dict
    assert set(weights) == set(last(whole)["model"])
    assert not any("teacher" in name for name in weights)
    assert {name for name in load_release(start).state_dict if name.startswith("host.")} <= set(weights)
    assert last(whole)["teacher"] is not None
    began = load_release(start).state_dict
    assert any(not torch.equal(began[name], weights[name]) for name in began if name.startswith("host.transformer")), (
        "the model has a host of its own, which trains"
    )
    Predictor.from_checkpoint(str(whole / "last.safetensors"), device="cpu")  # asks nobody for the start


@pytest.mark.parametrize("named", [False, True])
def test_a_resumed_run_equals_one_that_never_stopped(named: bool, whole: Path, start: Path, tmp_path: Path) -> None:
    words = (f"train.init_checkpoint={shutil.copy(start, tmp_path / 'moved.safetensors')}",) if named else ()
    folder = halfway(whole, tmp_path / "resumed")
    taught(folder, *words, resume=True)
    mine, theirs = last(folder), last(whole)
    assert mine["iteration"] == theirs["iteration"] == 4
    assert mine["teacher"] == theirs["teacher"]
    assert mine["config"]["train"]["init_checkpoint"] == (words[0].split("=")[1] if named else str(start))
    assert all(torch.equal(value, theirs["model"][name]) for name, value in mine["model"].items())


def test_another_or_no_start_is_refused(whole: Path, start: Path, tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"teacher_threshold makes the start of a run the teacher .* is empty: name the"
    ):
        taught(tmp_path / "a")
    with pytest.raises(UserError, match=r"the class heads of .* are made for another number \(host\.class_embed"):
        taught(tmp_path / "a", f"train.init_checkpoint={start}", "hosts.deformable_detr.num_classes=80")
    other = whole / "last.safetensors"
    with pytest.raises(
        UserError, match=r"--resume: .*last\.safetensors is not the file that taught that run \(SHA-256"
    ):
        taught(halfway(whole, tmp_path / "b"), f"train.init_checkpoint={other}", resume=True)
    with pytest.raises(UserError, match=r"gone\.safetensors"):
        taught(halfway(whole, tmp_path / "c"), f"train.init_checkpoint={tmp_path / 'gone.safetensors'}", resume=True)
    untaught = torch.load(whole / "last.prev.pth", weights_only=True) | {"teacher": None}
    torch.save(untaught, halfway(whole, tmp_path / "d") / "last.pth")
    with pytest.raises(UserError, match=r"--resume: that run had no teacher"):
        taught(tmp_path / "d", resume=True)
