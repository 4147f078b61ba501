"""The two trainings of the demo as commands of the user, run side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dsct_detrex.cli.invocation import runnable
from dsct_detrex.errors import UserError
from dsct_detrex.evaluation.formatting import duration
from dsct_detrex.sweep.processes import Ended, Job, logged_rows, run_jobs


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


def run_all(trainings: Sequence[Training], step: str, total: int, *overrides: str) -> dict[str, float]:
    """Run the commands side by side and return the seconds each took.

    Args:
        step: what is done, for the progress bar and the name of the log file.
        total: iterations of each, for the progress bar; 0 where nothing is counted.
        overrides: further words of every command line.

    Raises:
        UserError: a process failed; carries the last line of its log.
    """
    seconds: dict[str, float] = {}
    jobs = [
        Job(f"{step} {t.name}", t.command(*overrides), t.output_dir, t.output_dir / f"{step}.log", total)
        for t in trainings
    ]

    def ended(over: Ended) -> str:
        name = over.job.name.removeprefix(f"{step} ")
        if over.status != 0:
            raise UserError(
                f"The demo's {step} of {name} ended with status {over.status}: {over.reason()} (log: {over.job.log})"
            )
        seconds[name] = over.seconds
        return f"{over.job.name}: done in {duration(over.seconds)}"

    run_jobs(jobs, len(jobs), ended)
    return seconds
