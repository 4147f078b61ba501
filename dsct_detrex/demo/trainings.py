"""The two trainings of the demo as commands of the user, run side by side; after a stopped demo, those that it left."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dsct_detrex.cli.invocation import runnable
from dsct_detrex.engine.summary import SUMMARY
from dsct_detrex.errors import UserError
from dsct_detrex.evaluation.formatting import duration
from dsct_detrex.sweep.description import Cell
from dsct_detrex.sweep.processes import Ended, Job, last_line, logged_rows, run_jobs
from dsct_detrex.sweep.runs import Run, Standing

RECORD = "demo_run.json"
"""In the folder of a training, from its start to the end of the demo."""


@dataclass(frozen=True)
class Training:
    """One model of the demo.

    Attributes:
        name: how the report calls it.
        config: its config file or project, as for ``--config``.
        output_dir: folder of its run.
    """

    name: str
    config: Path
    output_dir: Path

    def words(self, *extra: str) -> list[str]:
        """Of ``dsct train``, for this model."""
        return ["--config", str(self.config), f"train.output_dir={self.output_dir}", *extra]

    def command(self, *extra: str) -> list[str]:
        """The same as a process of its own."""
        return [*runnable("train"), *self.words(*extra)]

    def rows(self) -> list[dict[str, Any]]:
        """What it has logged so far."""
        return logged_rows(self.output_dir)

    def seconds(self) -> float:
        """How long it trained, over all its starts."""
        summary = json.loads((self.output_dir / SUMMARY).read_text(encoding="utf-8"))
        return float(summary["seconds"])

    def run(self, *overrides: str) -> Run:
        """What is known of it on the disk."""
        words = ("--config", str(self.config), *overrides)
        return Run(Cell(self.output_dir.name), 0, words, self.output_dir, RECORD)


def train_all(trainings: Sequence[Training], total: int, *overrides: str) -> None:
    """Train what a demo of the same words that was stopped has not: what is finished is kept, the rest goes on.

    Args:
        total: iterations of each, for the progress bar; 0 where nothing is counted.
        overrides: further words of every command line.

    Raises:
        KeyboardInterrupt: it was asked to stop; what is kept has been said.
        UserError: a process failed; carries the last line of its log.
    """
    runs = {training.name: training.run(*overrides) for training in trainings}
    left = [training for training in trainings if runs[training.name].standing() is not Standing.FINISHED]
    goes_on = [training.name for training in left if runs[training.name].resumable()]
    for training in trainings:
        if training not in left:
            print(f"{training.name}: trained already, kept")
        elif training.name in goes_on:
            print(f"{training.name}: left unfinished, continued")
    jobs = []
    for training in left:
        resume = training.name in goes_on
        if (aside := runs[training.name].begin()) is not None:
            print(f"{training.name}: begun anew; the one of before is in {aside}")
        jobs.append(_job(training, "train", total, *overrides, *(["--resume"] if resume else []), append=resume))
    try:
        _run_all(jobs, "train", lambda name, reason: runs[name].end(reason, keep_checkpoints=True))
    except KeyboardInterrupt:
        for training in left:
            print(f"{training.name}: {_kept(runs[training.name])}", file=sys.stderr)
        raise


def forget(trainings: Sequence[Training]) -> None:
    """The demo is done: the next one trains anew."""
    for training in trainings:
        (training.output_dir / RECORD).unlink(missing_ok=True)


def run_all(trainings: Sequence[Training], step: str, *overrides: str) -> None:
    """Run commands side by side that are no training.

    Args:
        step: what is done, for the progress bar and the name of the log file.
        overrides: further words of every command line.

    Raises:
        UserError: a process failed; carries the last line of its log.
    """
    _run_all([_job(training, step, 0, *overrides) for training in trainings], step, lambda name, reason: None)


def _kept(run: Run) -> str:
    """What there is of a training after a stop, in words."""
    if run.standing() is Standing.FINISHED:
        return "trained"
    if not run.resumable():
        return "stopped before its first checkpoint"
    said = last_line(run.log)
    return said.partition(". Continue with: ")[0] if said.startswith("Interrupted after") else "stopped"


def _log(training: Training, step: str) -> Path:
    return training.output_dir / f"{step}.log"


def _job(training: Training, step: str, total: int, *extra: str, append: bool = False) -> Job:
    command, log = training.command(*extra), _log(training, step)
    return Job(f"{step} {training.name}", command, training.output_dir, log, total, append)


def _run_all(jobs: Sequence[Job], step: str, note: Callable[[str, str], object]) -> None:
    """Run them.

    Args:
        note: called with the name of a model that is done and the reason where it failed.
    """

    def ended(over: Ended) -> str:
        name = over.job.name.removeprefix(f"{step} ")
        note(name, over.reason() if over.status else "")
        if over.status != 0:
            raise UserError(
                f"The demo's {step} of {name} ended with status {over.status}: {over.reason()} (log: {over.job.log})"
            )
        return f"{over.job.name}: done in {duration(over.seconds)}"

    if jobs:
        run_jobs(jobs, len(jobs), ended)
