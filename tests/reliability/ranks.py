"""Several processes as one run, without torchrun: forked, so that they cost no imports, and joined with a deadline."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from functools import partial

from omegaconf import DictConfig

from dsct_detrex.cli.running import guarded
from dsct_detrex.engine import run
from tests.engine.engine_runs import start_ranks

MINUTE = 60.0
MANY = float(os.environ.get("DSCT_CASES", "1")) > 1
"""Whether to try what is left out of ``make test`` for its time."""


def trained(cfg: DictConfig, resume: bool = False) -> int:
    """``run`` with the words and exit status of the command."""

    def work() -> int:
        run(cfg, resume=resume, quiet=True)
        return 0

    return guarded(work)


def as_ranks(work: Sequence[Callable[[], int]], launcher: str = "") -> list[int | None]:
    """Exit statuses of the ranks; None for one that had not ended after a minute (it is killed).

    Args:
        launcher: what torchrun would be called that started them; empty: nobody who starts them again.
    """
    error_file = f"/logs/{launcher}/attempt_0/0/error.json"
    environment = {"TORCHELASTIC_ERROR_FILE": error_file} if launcher else {}
    if launcher and len(work) == 1:
        environment |= dict(RANK="0", LOCAL_RANK="0", WORLD_SIZE="1", MASTER_ADDR="127.0.0.1", MASTER_PORT="0")
    children = start_ranks([partial(_with_environment, environment, one) for one in work])
    deadline = time.monotonic() + MINUTE
    for child in children:
        child.join(max(0.0, deadline - time.monotonic()))
    for child in children:
        if child.exitcode is None:
            child.kill()
            child.join()
            child.late = True  # type: ignore[attr-defined]
    return [None if hasattr(child, "late") else child.exitcode for child in children]


def _with_environment(environment: dict[str, str], work: Callable[[], int]) -> int:
    os.environ.update(environment)
    return work()
