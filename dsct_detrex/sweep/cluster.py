"""Runs of a sweep as jobs of a SLURM cluster, through submitit (an optional package).

The jobs form an array with at most ``--jobs`` at once; this process waits for them, as it would for its own.
"""

from __future__ import annotations

import importlib
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dsct_detrex.errors import UserError
from dsct_detrex.sweep.processes import Ended, Job

_POLL_SECONDS = 5.0
_DEFAULTS = {"timeout_min": 24 * 60, "gpus_per_node": 1, "cpus_per_task": 8}


def execute(command: Sequence[str], log: str, append: bool) -> int:
    """Run a command on a node of the cluster, its output to a log; returns its status."""
    Path(log).parent.mkdir(parents=True, exist_ok=True)
    with open(log, "ab" if append else "wb") as file:
        return subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, check=False).returncode


def submit_jobs(
    jobs: Sequence[Job],
    at_once: int,
    ended: Callable[[Ended], str],
    folder: Path,
    parameters: Mapping[str, Any],
    started: Callable[[Job], None] = lambda job: None,
) -> None:
    """Submit all jobs and wait.

    Args:
        ended, started: see ``run_jobs``; a job counts as started just before it is submitted.
        folder: where submitit keeps its own files.
        parameters: of submitit, e.g. ``timeout_min``, ``slurm_partition``; they add to our defaults. ``cluster``
            ``"local"`` runs the jobs here, all at once, as a rehearsal.

    Raises:
        UserError: submitit is not installed, does not take a parameter, or finds no SLURM.
        KeyboardInterrupt: Ctrl-C; the jobs have been cancelled.
    """
    try:
        submitit: Any = importlib.import_module("submitit")
    except ImportError as error:
        raise UserError("--slurm needs the submitit package: pip install submitit.") from error
    cluster, parameters = parameters.get("cluster", "slurm"), {k: v for k, v in parameters.items() if k != "cluster"}
    try:
        executor = submitit.AutoExecutor(folder=str(folder), cluster=cluster)
    except (RuntimeError, ValueError) as error:
        raise UserError(
            f"--slurm: submitit cannot use the cluster {cluster!r}: {error} Run it where sbatch is, or without --slurm."
        ) from error
    try:
        executor.update_parameters(name="sweep", slurm_array_parallelism=at_once, **{**_DEFAULTS, **parameters})
    except (TypeError, NameError) as error:
        raise UserError(f"--slurm: submitit refuses its parameters: {error}") from error
    for job in jobs:
        started(job)
    with executor.batch():
        submitted = [executor.submit(execute, list(job.command), str(job.log), job.append) for job in jobs]
    start = time.perf_counter()
    waiting = dict(enumerate(zip(jobs, submitted)))
    print(f"submitted {len(jobs)} jobs; waiting for them (Ctrl-C cancels)")
    try:
        while waiting:
            for number, (job, remote) in list(waiting.items()):
                if remote.done():
                    del waiting[number]
                    if sentence := ended(Ended(job, _status(remote), time.perf_counter() - start)):
                        print(sentence, flush=True)
            if waiting:
                time.sleep(_POLL_SECONDS)
    finally:
        for _, remote in waiting.values():
            remote.cancel()


def _status(remote: Any) -> int:
    """Of the command; -9 where the cluster ended the job before it could say."""
    return -9 if remote.exception() is not None else int(remote.result())
