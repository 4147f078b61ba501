"""N + M steps equal N steps, an interruption and M more, bit for bit."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from engine_runs import read_jsonl
from omegaconf import DictConfig

from dsct_detrex.engine import Interrupted, run
from dsct_detrex.errors import UserError

Toy = Callable[..., DictConfig]

EVERYTHING = (
    "train.model_ema.enabled=true",
    "train.accumulate=2",
    "train.max_iter=11",
    "train.eval_period=3",
    "train.checkpointer.period=4",
    "lr_multiplier={_target_:dsct_detrex.config.CosineParamScheduler,start_value:1.0,end_value:0.1}",
)
TIMES = ("time", "data_time", "eta_seconds", "mem_mb")


def _same(a: Any, b: Any, where: str = "") -> None:
    """Equal to the last bit, at every depth."""
    if isinstance(a, torch.Tensor):
        assert torch.equal(a, b), where
    elif isinstance(a, dict):
        assert a.keys() == b.keys(), where
        for key in a:
            _same(a[key], b[key], f"{where}.{key}")
    elif isinstance(a, list | tuple):
        assert len(a) == len(b), where
        for i, (x, y) in enumerate(zip(a, b)):
            _same(x, y, f"{where}[{i}]")
    else:
        assert a == b, where


def _without_times(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in TIMES}


@pytest.mark.parametrize("batch", [0, 9, 13])  # in the first iteration, in the fifth, in the seventh
@pytest.mark.parametrize("amp", ["false", "true"])
def test_interrupted_equals_uninterrupted(toy: Toy, tmp_path: Path, batch: int, amp: str) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    settings = (*EVERYTHING, f"train.amp.enabled={amp}")
    run(toy(*settings, f"train.output_dir={whole}"), quiet=True)
    with pytest.raises(Interrupted) as stopped:
        run(toy(*settings, f"train.output_dir={parts}", f"dataloader.train.interrupt={batch}"), quiet=True)
    assert stopped.value.iteration == batch // 2 + 1
    result = run(toy(*settings, f"train.output_dir={parts}"), resume=True, quiet=True)
    assert result.iteration == 11

    for name in ("model", "optimizer", "ema", "rng", "loader", "best", "iteration", "evaluated_at"):
        first, second = (torch.load(folder / "last.pth", weights_only=True)[name] for folder in (whole, parts))
        _same(first, second, name)
    rows = {row["iteration"]: _without_times(row) for row in read_jsonl(whole / "metrics.jsonl")}
    again: dict[int, dict[str, Any]] = {}
    for row in read_jsonl(parts / "metrics.jsonl"):
        again.setdefault(row["iteration"], {}).update(_without_times(row))
    assert again.keys() == rows.keys()
    assert again == rows


def test_a_broken_image_costs_no_training(toy: Toy, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The run that stopped at the picture and went on, once it was repaired, equals one that never met it."""
    whole = tmp_path / "whole"
    run(toy(f"train.output_dir={whole}"), quiet=True)
    with pytest.raises(UserError, match="The images of batch 7 cannot be read"):
        run(toy("dataloader.train.broken=7"))
    assert "saved iteration 7 before the error that follows; --resume continues." in capsys.readouterr().out
    run(toy(), resume=True, quiet=True)
    first, second = (torch.load(folder / "last.pth", weights_only=True) for folder in (whole, tmp_path / "run"))
    _same(first["model"], second["model"])
    _same(first["rng"], second["rng"])


def test_a_skipped_evaluation_is_made_up_for(toy: Toy, tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        run(toy("dataloader.train.interrupt=4"), quiet=True)  # asked to stop in iteration 5, which evaluates
    rows = read_jsonl(tmp_path / "run" / "metrics.jsonl")
    assert not any("emotion/mAP" in row for row in rows)
    run(toy(), resume=True, quiet=True)
    rows = read_jsonl(tmp_path / "run" / "metrics.jsonl")
    assert [row["iteration"] for row in rows if "emotion/mAP" in row] == [5, 10]


def test_an_evaluation_is_cut_short(toy: Toy, tmp_path: Path) -> None:
    """Ctrl-C in the middle of an evaluation: it stops there, saves, and the resumed run evaluates from the start."""
    average = "train.model_ema.enabled=true"
    with pytest.raises(Interrupted) as stopped:
        run(toy("dataloader.test.interrupt=true", average), quiet=True)
    assert stopped.value.iteration == 5
    assert not (tmp_path / "run" / "evaluation.json").exists()
    run(toy(average), resume=True, quiet=True)
    whole = tmp_path / "whole"
    run(toy(average, f"train.output_dir={whole}"), quiet=True)
    first, second = (torch.load(folder / "last.pth", weights_only=True) for folder in (whole, tmp_path / "run"))
    for name in ("model", "ema", "best", "rng"):
        _same(first[name], second[name], name)


def test_records_after_the_checkpoint_are_written_once(toy: Toy, tmp_path: Path) -> None:
    """A run that died after iteration 8 goes on from its checkpoint of iteration 5."""
    run(toy("train.max_iter=8", "train.checkpointer.period=5"), quiet=True)
    folder = tmp_path / "run"
    (folder / "last.prev.pth").replace(folder / "last.pth")
    run(toy("train.max_iter=10"), resume=True, quiet=True)
    assert [row["iteration"] for row in read_jsonl(folder / "metrics.jsonl")] == [2, 4, 5, 6, 8, 10]
    lines = (folder / "metrics.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines] == ["iteration", "2", "4", "5", "6", "8", "10"]


def test_time_and_numbers_before_a_resume_count(toy: Toy, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(toy("train.max_iter=5"), quiet=True)
    path = tmp_path / "run" / "last.pth"
    content = torch.load(path, weights_only=True)
    assert content["seconds"] > 0
    metric = content["best"]["metric"]
    assert metric in content["measured"]
    torch.save({**content, "seconds": 3600.0, "measured": {metric: 0.0}}, path)
    run(toy(), resume=True)
    said = capsys.readouterr().out
    assert re.search(r"step 10  .*\(\+", said), "compared with the evaluation before"
    assert "done: 10 steps after 1 h 0 min" in said
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["seconds"] > 3600


def test_a_longer_run_continues_a_finished_one(toy: Toy, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(toy(), quiet=True).iteration == 10
    assert run(toy(), resume=True).iteration == 10
    assert "Nothing is left to train: 10 of 10 iterations are done." in capsys.readouterr().out
    assert run(toy("train.max_iter=12"), resume=True, quiet=True).iteration == 12


def test_what_cannot_be_continued_is_said(toy: Toy, capsys: pytest.CaptureFixture[str]) -> None:
    forgetful = "dataloader.train._target_=engine_toys.ForgetfulTrainLoader"
    run(toy("train.max_iter=5", forgetful), quiet=True)
    run(toy("train.model_ema.enabled=true", forgetful), resume=True)
    said = capsys.readouterr().out
    assert "resumed at iteration 5" in said
    assert "note: The training loader keeps no position: the data order starts afresh." in said
    assert "note: The checkpoint has no weight average" in said


def test_a_new_run_sets_an_old_one_aside(toy: Toy, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "run"
    run(toy("dataloader.evaluator.worse=-0.1"), quiet=True)
    best = (folder / "best.safetensors").read_bytes()
    run(toy("train.max_iter=2", "train.fast_dev_run.enabled=true"))
    assert "held another run, which is now in" in capsys.readouterr().out
    assert (folder / "previous" / "1" / "best.safetensors").read_bytes() == best
    assert len(read_jsonl(folder / "previous" / "1" / "metrics.jsonl")) == 6
    assert not (folder / "best.safetensors").exists()
    run(toy("train.max_iter=1"), quiet=True)
    assert (folder / "previous" / "1" / "best.safetensors").read_bytes() == best
    assert (folder / "previous" / "2" / "last.safetensors").exists()


def test_a_dry_run_of_a_resume_says_what_the_resume_would(
    toy: Toy, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(toy("train.max_iter=2"), quiet=True)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*")}
    run(toy("train.max_iter=4", "optimizer.lr=0.5"), resume=True, dry_run=True)
    said = capsys.readouterr().out
    assert "resumed at iteration 2" in said
    assert "-> 0.5 from iteration 3 on" in said
    with pytest.raises(UserError, match=r"--resume: train\.seed was"):
        run(toy("train.max_iter=4", "train.seed=77"), resume=True, dry_run=True)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*")} == before


def test_a_resume_does_not_start_from_other_weights(toy: Toy, tmp_path: Path) -> None:
    weights = tmp_path / "run" / "last.safetensors"
    run(toy("train.max_iter=2"), quiet=True)
    with pytest.raises(UserError, match=r"train\.init_checkpoint was .*goes on from its own weights and does not read"):
        run(toy("train.max_iter=4", f"train.init_checkpoint={weights}"), resume=True, quiet=True)


def test_the_weights_that_a_run_began_with_need_not_be_given_again(toy: Toy, tmp_path: Path) -> None:
    run(toy("train.max_iter=1", f"train.output_dir={tmp_path / 'first'}"), quiet=True)
    start = f"train.init_checkpoint={tmp_path / 'first' / 'last.safetensors'}"
    run(toy("train.max_iter=2", start), quiet=True)
    assert run(toy("train.max_iter=4"), resume=True, quiet=True).iteration == 4
