"""From a command line to an exit status and one sentence."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from engine_runs import ROOT, read_jsonl, start_ranks

from dsct_detrex.cli import stopping
from dsct_detrex.engine import command_line
from dsct_detrex.engine.interrupt import StopRequest
from dsct_detrex.engine.launch import Group
from tests.commands import train as main


def test_overrides_anywhere_reach_the_run(config_file: Path, tmp_path: Path) -> None:
    assert (
        main(
            [
                "train.max_iter=4",
                "--config",
                str(config_file),
                "optimizer.lr=0.5",
                "--device",
                "cpu",
                "train.log_period=1",
            ]
        )
        == 0
    )
    rows = read_jsonl(tmp_path / "run" / "metrics.jsonl")
    assert [row["iteration"] for row in rows] == [1, 2, 3, 4]
    assert rows[0]["lr"] == 0.5


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("train.rewrites=all", ""),
        ("train.rewrites=none", "none, modules run as they are written"),
        ("train.rewrites=[]", "none, modules run as they are written"),
        ("train.rewrites=[dropout,attention]", "attention, dropout"),
    ],
)
def test_the_plan_says_which_rewrites_are_left(
    word: str, told: str, config_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--config", str(config_file), "--dry-run", f"+{word}"]) == 0
    lines = [line.split(maxsplit=1)[1] for line in capsys.readouterr().out.splitlines() if line.startswith("rewrites")]
    assert lines == ([told] if told else [])


def test_dry_run(config_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--config", str(config_file), "--epochs", "2", "--dry-run"]) == 0
    assert "steps        10 = 2 epochs of 5" in capsys.readouterr().out
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["train.max_iters=3"], "error: Override `train.max_iters=3`: unknown key `train.max_iters`. Did you mean"),
        (["--resume"], "error: --resume expects "),
        (["--eval-only"], "error: --eval-only evaluates the weights of train.init_checkpoint, which is empty"),
        (["--eval"], "error: Command line: unknown flag --eval. Did you mean `--eval-only`"),
        (["optimizer.lr=${nowhere}"], "error: "),
        (["train.max_iter=x"], "error: train.max_iter expects int. Got 'x'."),
    ],
)
def test_mistakes_are_one_sentence(
    config_file: Path, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    assert main(["--config", str(config_file), *words]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(sentence)
    assert captured.err.count("\n") == 1
    assert "Traceback" not in captured.err


def test_debug_shows_the_traceback(
    config_file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DSCT_DEBUG", "1")
    assert main(["--config", str(config_file), "--resume"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_several_gpus_start_as_many_processes(config_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[list[str], Group]] = []
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(command_line, "launch", lambda command, group: started.append((list(command), group)) or 0)
    assert main(["--config", str(config_file), "--num-gpus", "3"]) == 0
    command = [sys.executable, "-m", "dsct_detrex", "train", "--config", str(config_file), "--num-gpus", "3"]
    assert started == [(command, Group(1, 0, 3))]


def _await_steps(metrics: Path, count: int) -> None:
    deadline = time.monotonic() + 100
    while not (metrics.exists() and metrics.read_text().count("\n") >= count) and time.monotonic() < deadline:
        time.sleep(0.02)


def test_ctrl_c_saves_and_resume_continues(config_file: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    """The real script, a real signal, at a moment nobody chose."""
    command = [sys.executable, str(ROOT / "scripts" / "train.py"), "-c", str(config_file), "train.max_iter=100000"]
    process = subprocess.Popen(
        [*command, "train.log_period=1"], env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    metrics, last = tmp_path / "run" / "metrics.jsonl", tmp_path / "run" / "last.pth"
    _await_steps(metrics, 3)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=100)
    assert process.returncode == 130, error
    done = torch.load(last, weights_only=True)["iteration"]
    assert f"Interrupted after iteration {done}; saved {last}. Continue with: " in error
    assert error.rstrip().endswith(f"train.py -c {config_file} train.max_iter=100000 train.log_period=1 --resume")
    assert read_jsonl(metrics)[-1]["iteration"] == done
    started_by = json.loads((tmp_path / "run" / "environment.json").read_text())["command"]
    assert started_by.endswith(f"train.py -c {config_file} train.max_iter=100000 train.log_period=1")

    assert main(["-c", str(config_file), f"train.max_iter={done + 2}", "train.log_period=1", "--resume"]) == 0
    iterations = [row["iteration"] for row in read_jsonl(metrics)]
    assert list(dict.fromkeys(iterations)) == list(range(1, done + 3))


def test_sigterm_saves_like_ctrl_c(config_file: Path, tmp_path: Path) -> None:
    handler = signal.getsignal(signal.SIGTERM)
    words = ["-c", str(config_file), "train.max_iter=100000", "train.log_period=1"]
    (child,) = start_ranks([lambda: main(words)])
    _await_steps(tmp_path / "run" / "metrics.jsonl", 3)
    assert child.pid is not None
    os.kill(child.pid, signal.SIGTERM)
    child.join(60)
    assert child.exitcode == 143
    assert torch.load(tmp_path / "run" / "last.pth", weights_only=True)["iteration"] >= 3
    assert signal.getsignal(signal.SIGTERM) is handler


@pytest.fixture
def default_interrupt() -> Iterator[None]:
    """Ctrl-C raises, also where the tests themselves run in the background of a shell, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="a Unix signal")
@pytest.mark.parametrize(("before", "asks"), [(signal.SIG_DFL, True), (signal.SIG_IGN, False)], ids=["closed", "nohup"])
def test_a_terminal_that_is_closed_asks_to_stop_except_under_nohup(before: signal.Handlers, asks: bool) -> None:
    original = signal.signal(signal.SIGHUP, before)
    try:
        with StopRequest() as stop:
            signal.raise_signal(signal.SIGHUP)
            assert stop.requested == asks
            signal.raise_signal(signal.SIGHUP)  # a launcher passes it on, too: that is no hurry
        assert signal.getsignal(signal.SIGHUP) == before
    finally:
        signal.signal(signal.SIGHUP, original)


def test_a_second_signal_stops_at_once(default_interrupt: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "ONE_REQUEST", -1.0)
    heard: list[str] = []
    with StopRequest(lambda: heard.append("heard")) as stop:
        signal.raise_signal(signal.SIGINT)
        assert stop.requested
        assert heard == ["heard"], "whoever waits for the step is told why"
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
