"""Two processes on the CPU: the same training as one, together in errors and in stopping."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from engine_runs import read_jsonl, start_ranks
from omegaconf import DictConfig

from dsct_detrex.engine import run
from tests.commands import train as main

Toy = Callable[..., DictConfig]

SAME = (
    "model.norm=false", "model.dropout=0.0", "dataloader.train.noisy=false", "train.accumulate=2", "train.max_iter=6",
    "train.eval_period=3", "train.log_period=1", "train.model_ema.enabled=true",
)  # fmt: skip


def _launch(config_file: Path, *words: str) -> list[int | None]:
    """Two ranks of one command line; their exit statuses."""
    children = start_ranks([lambda: main(["-c", str(config_file), *SAME, *words])] * 2)
    for child in children:
        child.join(100)
    return [child.exitcode for child in children]


def test_two_processes_train_like_one(
    toy: Toy, config_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Interrupted on one rank only, and resumed; images, gradients, numbers and files are those of one process."""
    one = run(toy(*SAME, f"train.output_dir={tmp_path / 'one'}"), quiet=True)
    assert _launch(config_file, "dataloader.train.interrupt=6") == [130, 130]
    stopped = capfd.readouterr()
    assert "Interrupted after iteration 4; saved" in stopped.err
    assert stopped.out.count("\noutput  ") == 1, "only rank 0 talks"
    assert _launch(config_file, "--resume") == [0, 0]
    notes = [line for line in capfd.readouterr().out.splitlines() if line.startswith("note:")]
    assert notes == ["note: dataloader.train.interrupt 6 -> null from iteration 5 on"]

    first = torch.load(tmp_path / "one" / "last.pth", weights_only=True)
    second = torch.load(tmp_path / "run" / "last.pth", weights_only=True)
    assert second["iteration"] == 6
    assert len(second["rng"]) == len(second["loader"]) == 2
    for name in first["model"]:
        torch.testing.assert_close(second["model"][name], first["model"][name])
        torch.testing.assert_close(second["ema"][name], first["ema"][name])
    alone, together = (read_jsonl(tmp_path / name / "metrics.jsonl") for name in ("one", "run"))
    assert [row["iteration"] for row in together] == [row["iteration"] for row in alone]
    for a, b in zip(alone, together):
        assert b["total_loss"] == pytest.approx(a["total_loss"], rel=1e-5)
    assert together[-1]["emotion/mAP"] == one.metrics["emotion/mAP"]


def test_an_error_on_one_rank_ends_both(config_file: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert _launch(config_file, "dataloader.train.poison=4") == [2, 2]
    error = capfd.readouterr().err
    assert "error: Training stopped: loss_class is nan in iteration 3, on image_18.jpg, image_19.jpg" in error
    assert "Traceback" not in error
    assert (tmp_path / "run" / "non_finite.json").exists()
