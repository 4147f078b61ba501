"""Train several configs at the same time, one process each, and watch them through the files they write.

A process per model uses two cores better than one process with two threads: small models spend their time waiting for
each other's threads.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from dsct_detrex.errors import UserError

_POLL_SECONDS = 1.0


@dataclass(frozen=True)
class Training:
    """One model of the demo.

    Attributes:
        name: how the report calls it.
        config: file of its LazyConfig.
        output_dir: folder of its run.
    """

    name: str
    config: Path
    output_dir: Path

    def command(self, *extra: str) -> list[str]:
        """The user's own command, for this model."""
        script = Path("scripts") / "train.py"
        return [
            sys.executable,
            str(script),
            "--config",
            str(self.config),
            f"train.output_dir={self.output_dir}",
            *extra,
        ]

    def rows(self) -> list[dict[str, Any]]:
        """What it has logged so far."""
        path = self.output_dir / "metrics.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        return [json.loads(line) for line in lines]


def run_all(trainings: Sequence[Training], step: str, total: int, *overrides: str) -> dict[str, float]:
    """Run the commands side by side and return the seconds each took.

    Args:
        step: what is done, for the progress bar and the name of the log file.
        total: iterations of each, for the progress bar; 0 where nothing is counted.
        overrides: further words of every command line.

    Raises:
        UserError: a process failed; carries the last line of its log.
    """
    threads = max(1, (os.cpu_count() or 1) // len(trainings))
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "PYTHONUNBUFFERED": "1"}
    started = time.perf_counter()
    running: dict[str, tuple[Training, subprocess.Popen[bytes]]] = {}
    logs: list[IO[bytes]] = []
    try:
        for training in trainings:
            training.output_dir.mkdir(parents=True, exist_ok=True)
            logs.append((training.output_dir / f"{step}.log").open("wb"))
            process = subprocess.Popen(
                training.command(*overrides), stdout=logs[-1], stderr=subprocess.STDOUT, env=environment
            )
            running[training.name] = (training, process)
        return _watch(running, step, total, started)
    finally:
        for _, process in running.values():
            if process.poll() is None:
                process.terminate()
                process.wait()
        for log in logs:
            log.close()


def _watch(
    running: dict[str, tuple[Training, subprocess.Popen[bytes]]], step: str, total: int, started: float
) -> dict[str, float]:
    seconds: dict[str, float] = {}
    columns = (TextColumn("{task.description:<34}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn(), TextColumn("{task.fields[note]}")) as progress:
        tasks = {name: progress.add_task(f"{step} {name}", total=total or None, note="") for name in running}
        while len(seconds) < len(running):
            time.sleep(_POLL_SECONDS)
            for name, (training, process) in running.items():
                if total and (rows := training.rows()):
                    progress.update(tasks[name], completed=int(rows[-1]["iteration"]), note=_note(rows))
                if name not in seconds and process.poll() is not None:
                    seconds[name] = time.perf_counter() - started
                    _check(training, process.returncode, step)
                    progress.update(tasks[name], total=total or 1, completed=total or 1)
    return seconds


def _note(rows: Sequence[dict[str, Any]]) -> str:
    """The latest loss and the latest measured accuracy."""
    losses = [row["total_loss"] for row in rows if "total_loss" in row]
    measured = [row["emotion/acc"] for row in rows if "emotion/acc" in row]
    loss = f"loss {losses[-1]:.2f}" if losses else ""
    return f"{loss}  accuracy {measured[-1]:.1%}" if measured else loss


def _check(training: Training, status: int, step: str) -> None:
    if status == 0:
        return
    log = training.output_dir / f"{step}.log"
    last = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()][-1:]
    raise UserError(f"The demo's {step} of {training.name} ended with status {status}: {''.join(last)} (log: {log})")
