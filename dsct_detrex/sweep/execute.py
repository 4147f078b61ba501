"""Train what a sweep still lacks, and keep its result files up to date while doing so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dsct_detrex.evaluation.formatting import percent
from dsct_detrex.files import write_whole
from dsct_detrex.sweep.cluster import submit_jobs
from dsct_detrex.sweep.efficiency import plot_efficiency
from dsct_detrex.sweep.page import write_page
from dsct_detrex.sweep.plot import plot_by_people, plot_sweep
from dsct_detrex.sweep.processes import Ended, Job, run_jobs
from dsct_detrex.sweep.results import Row, make_rows, read_measured
from dsct_detrex.sweep.runs import Run, Standing
from dsct_detrex.sweep.setting import Setting
from dsct_detrex.sweep.table import people_groups, write_csv, write_markdown
from dsct_detrex.visualization.quantities import duration


@dataclass(frozen=True)
class Order:
    """How the runs are carried out.

    Attributes:
        command: words that start a training, before its own.
        at_once: processes, or jobs of a cluster, at the same time.
        total: iterations of a run, for its progress bar; 0 if not known.
        keep_checkpoints: leave ``last.pth`` in finished runs.
        slurm: parameters for submitit; None runs here.
    """

    command: Sequence[str]
    at_once: int
    total: int = 0
    keep_checkpoints: bool = False
    slurm: Mapping[str, Any] | None = None


def prepare(runs: Sequence[Run], restart: bool, say: Callable[[str], None]) -> list[Run]:
    """The runs that are still to do; folders of runs to begin anew are moved aside."""
    left = []
    for run in runs:
        standing = run.standing()
        if standing is Standing.FINISHED and not restart:
            continue
        left.append(run)
        if standing is Standing.CHANGED:
            difference = run.difference()
            say(f"{run.name}: trained again, because its command changed ({difference}); before: {run.set_aside()}")
        elif restart and run.folder.exists():
            say(f"{run.name}: begun anew; before: {run.set_aside()}")
        elif standing in (Standing.FAILED, Standing.UNFINISHED):
            how = "failed earlier" if standing is Standing.FAILED else "left unfinished"
            say(f"{run.name}: {how}, {'continued' if run.resumable() else 'tried again'}")
    if len(left) < len(runs):
        say(f"{len(runs) - len(left)} of {len(runs)} runs are finished and kept")
    return left


def carry_out(runs: Sequence[Run], order: Order, setting: Setting, after_each: Callable[[], None]) -> None:
    """Train runs; a run that fails is noted and the others go on.

    Args:
        after_each: called when a run is over.

    Raises:
        KeyboardInterrupt: Ctrl-C; what ran can be continued.
        UserError: see ``run_jobs`` and ``submit_jobs``.
    """
    by_name = {run.name: run for run in runs}
    jobs = []
    for run in runs:
        resume = run.resumable()
        command = [*order.command, *run.all_words(resume)]
        jobs.append(Job(run.name, command, run.folder, run.log, order.total, append=resume))

    def ended(over: Ended) -> str:
        run = by_name[over.job.name]
        standing = run.end(over.reason() if over.status else "", order.keep_checkpoints)
        after_each()
        if standing is Standing.FINISHED:
            measured = read_measured(run.folder)
            on = f" on {measured.coverage}" if measured.coverage else ""
            value = percent(measured.value(setting.metric))
            return f"{run.name}: {setting.metric} {value}{on} in {duration(over.seconds)}"
        return f"{run.name}: failed: {run.reason()} (log: {run.log})"

    def started(job: Job) -> None:
        by_name[job.name].begin()

    if order.slurm is None:
        run_jobs(jobs, order.at_once, ended, started)
    else:
        submit_jobs(jobs, order.at_once, ended, runs[0].folder.parents[1] / "slurm", order.slurm, started)


def write_tables(folder: Path, runs: Sequence[Run], setting: Setting) -> tuple[list[Row], str]:
    """``results.csv`` and ``table.md``; returns the cells' rows and the text of the table."""
    rows = make_rows(setting.sweep.cells, runs)
    write_csv(folder / "results.csv", rows, setting)
    return rows, write_markdown(folder / "table.md", rows, setting)


def write_pictures(folder: Path, rows: Sequence[Row], setting: Setting) -> None:
    """``plot.png``, ``plot_by_people.png`` and ``plot_efficiency.png`` where the sweep asks for it, ``report.html``."""
    write_whole(folder / "plot.png", plot_sweep(rows, setting, "png"))
    if people_groups(rows, setting):
        write_whole(folder / "plot_by_people.png", plot_by_people(rows, setting, "png"))
    if setting.sweep.efficiency:
        write_whole(folder / "plot_efficiency.png", plot_efficiency(rows, setting, "png"))
    write_page(folder / "report.html", rows, setting)
