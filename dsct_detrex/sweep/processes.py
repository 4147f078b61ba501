"""Run commands side by side, so many at once, and watch them through the files they write.

A process per model uses the cores better than one process with many threads: small models spend their time waiting for
each other's threads. Each command is a session of its own, so that Ctrl-C reaches this process alone; it passes one
SIGTERM on, on which a training saves and ends.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import torch

from dsct_detrex.cli.stopping import interrupting
from dsct_detrex.errors import UserError
from dsct_detrex.sweep.watching import Watch

_POLL_SECONDS = 0.25
_GRACE_SECONDS = 120.0  # to save before being killed


@dataclass(frozen=True)
class Job:
    """One command.

    Attributes:
        name: what its progress bar says.
        command: program and arguments.
        folder: where it writes ``metrics.jsonl``.
        log: file that takes its output; nobody else may be writing to it.
        total: iterations, for the progress bar; 0 where nothing is counted.
        append: keep what the log already has.
    """

    name: str
    command: Sequence[str]
    folder: Path
    log: Path
    total: int = 0
    append: bool = False


@dataclass(frozen=True)
class Ended:
    """A job that is over; ``status`` is negative where a signal ended it."""

    job: Job
    status: int
    seconds: float

    def reason(self) -> str:
        """Why it failed, in the last words of its log."""
        return (
            f"killed by signal {-self.status}" if self.status < 0 else last_line(self.job.log).removeprefix("error: ")
        )


def last_line(log: Path) -> str:
    """The last line of a log that is not empty."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


def logged_rows(folder: Path) -> list[dict[str, Any]]:
    """What a training has logged so far; a line that is still being written is left out."""
    path = folder / "metrics.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.is_file() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def run_jobs(
    jobs: Sequence[Job],
    at_once: int,
    ended: Callable[[Ended], str],
    started: Callable[[Job], None] = lambda job: None,
) -> None:
    """Run all jobs in order, ``at_once`` at a time.

    Args:
        started: called just before one starts.
        ended: called when one is over; a sentence it returns is printed. What it raises stops all others.

    Raises:
        Stopped: Ctrl-C, SIGTERM or SIGHUP to this process; the jobs have ended by themselves or were killed.
        UserError: another process is still writing the log of a job.
    """
    waiting, running = deque(jobs), dict[int, _Running]()
    with interrupting(), Watch(len(jobs) if len(jobs) > at_once else 0) as watch:
        try:
            while waiting or running:
                for slot in range(at_once):
                    if waiting and slot not in running:
                        started(waiting[0])
                        running[slot] = _Running.start(waiting.popleft(), _environment(slot, at_once), watch)
                time.sleep(_POLL_SECONDS)
                for slot, one in list(running.items()):
                    over = one.look(watch)
                    if over is None:
                        continue
                    del running[slot]
                    if sentence := ended(over):
                        watch.say(sentence)
        finally:
            _stop([one.process for one in running.values()])


@dataclass
class _Running:
    job: Job
    process: subprocess.Popen[bytes]
    started: float

    @classmethod
    def start(cls, job: Job, environment: dict[str, str], watch: Watch) -> _Running:
        job.log.parent.mkdir(parents=True, exist_ok=True)
        with job.log.open("ab") as log:
            _lock(log, job)
            if not job.append:
                log.truncate(0)
            process = subprocess.Popen(
                job.command, stdout=log, stderr=subprocess.STDOUT, env=environment, start_new_session=True
            )
        watch.started(job.name, job.total)
        return cls(job, process, time.perf_counter())

    def look(self, watch: Watch) -> Ended | None:
        """Show how far it is; not None once the process is over."""
        job = self.job
        if job.total and (rows := logged_rows(job.folder)):
            watch.moved(job.name, int(rows[-1]["iteration"]), _note(rows))
        if self.process.poll() is None:
            return None
        watch.ended(job.name)
        return Ended(job, self.process.returncode, time.perf_counter() - self.started)


def _lock(log: IO[bytes], job: Job) -> None:
    """Take the log for the process that inherits it, as long as it lives; where files cannot be locked, trust."""
    try:
        import fcntl
    except ImportError:  # not on Windows
        return
    try:
        fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise UserError(
            f"{job.name}: another process is still running and writes {job.log}; wait or end it."
        ) from error


def _environment(slot: int, at_once: int) -> dict[str, str]:
    """Threads and GPUs are shared out; an ``OMP_NUM_THREADS`` of the user's stays."""
    threads = max(1, (os.cpu_count() or 1) // at_once)
    environment = {"OMP_NUM_THREADS": str(threads), **os.environ, "PYTHONUNBUFFERED": "1"}
    gpus = torch.cuda.device_count()
    if gpus > 1:
        visible = os.environ.get("CUDA_VISIBLE_DEVICES", ",".join(map(str, range(gpus)))).split(",")
        environment["CUDA_VISIBLE_DEVICES"] = visible[slot % len(visible)]
    return environment


def _stop(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Ask once, wait, then kill; a second Ctrl-C kills at once."""
    for process in processes:
        if process.poll() is None:
            process.terminate()
    until = time.monotonic() + _GRACE_SECONDS
    try:
        for process in processes:
            process.wait(max(0.0, until - time.monotonic()))
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        for process in processes:
            process.kill()
            process.wait()


def _note(rows: Sequence[dict[str, Any]]) -> str:
    """The latest loss and the latest measured accuracy."""
    losses = [row["total_loss"] for row in rows if "total_loss" in row]
    measured = [row["emotion/acc"] for row in rows if "emotion/acc" in row]
    loss = f"loss {losses[-1]:.2f}" if losses else ""
    return f"{loss}  accuracy {measured[-1]:.1%}" if measured else loss
