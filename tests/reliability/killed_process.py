"""``kill -9`` of a real ``dsct train`` at random moments, until it has been killed so often; then it runs to its end.

A tiny DSCT on drawn scenes, with denoising, one-to-many queries, accumulation, autocast and the average of the weights.
After each kill every file is whole, and the last checkpoint can be read and is not of before the one that was seen
last; the end is, to the last bit, that of a run that nobody killed.

``python -m tests.reliability.killed_process --count 50``
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch

from dsct_detrex.cli.running import run_command
from tests.reliability.resume_hosts import WORDS
from tests.reliability.same import assert_same_run, rows
from tests.reliability.whole import left_behind, torn

PERIOD = 5
OTHERS = ("train.max_iter", "train.checkpointer", "train.eval", "train.log")
TINY = (
    "--config",
    "demo",
    *(word for word in WORDS if not word.startswith(OTHERS) and word != "train.max_epoch=null"),
    "train.init_checkpoint=",
    f"train.checkpointer.period={PERIOD}",
    "train.eval_period=10",
    "train.log_period=3",
    "hosts.deformable_detr.num_queries=10",
    "hosts.deformable_detr.embed_dim=64",
    "hosts.deformable_detr.position_embedding.num_pos_feats=32",
    "hosts.deformable_detr.transformer.encoder.num_layers=1",
    "hosts.deformable_detr.transformer.decoder.num_layers=2",
    "model.denoising=${subject_training.dn_detr.denoising}",
    "model.one_to_many=${subject_training.h_deformable_detr.one_to_many}",
)


@dataclass
class Tally:
    """What was counted.

    Attributes:
        kills: how many met a living process.
        saving: of these, how many came while a file was being written.
        lost: steps that each cost, those of which the log knows.
        starts: how often a start went on from a checkpoint.
    """

    kills: int = 0
    saving: int = 0
    lost: list[int] = field(default_factory=list)
    starts: int = 0


def killed(folder: Path, count: int, steps: int, longest: float, seed: int = 0) -> Tally:
    """Kill a training ``count`` times, each after at most ``longest`` seconds, and compare its end.

    Args:
        steps: of the whole training; one that ends earlier is compared, and another begins.
    """
    whole, run, log = folder / "whole", folder / "run0", folder / "log"
    assert _ended(_started(whole, steps, log)) == 0, log.read_text()
    moments, tally, seen = random.Random(seed), Tally(), 0
    while tally.kills < count:
        tally.starts += seen > 0
        process = _started(run, steps, log)
        status = _ended(process, moments.uniform(0.02, longest))
        if status is None:
            _kill(process)
            tally.kills += 1
        assert status in (None, 0), log.read_text()
        assert torn(run) == []
        saved = _iteration(run)
        assert saved >= seen, f"a checkpoint is lost: {seen} was seen and {saved} is there"
        seen = saved
        if status is None:
            tally.saving += bool(left_behind(run))
            logged = max(rows(run)) if (run / "metrics.jsonl").exists() and rows(run) else 0
            tally.lost.append(max(0, logged - saved))
        else:
            assert_same_run(run, whole)
            run, seen = folder / f"run{tally.kills}", 0
    assert _ended(_started(run, steps, log)) == 0, log.read_text()
    assert_same_run(run, whole)
    assert left_behind(run) == []
    assert max(tally.lost) <= PERIOD
    return tally


def _started(folder: Path, steps: int, log: Path) -> BaseProcess:
    """The command in a process of its own, begun or gone on with; torch is imported already, which saves seconds."""
    words = [*TINY, f"train.max_iter={steps}", f"train.output_dir={folder}"]
    resume = ["--resume"] if (folder / "last.pth").exists() else []

    def work() -> None:
        stream = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for standard in (1, 2):
            os.dup2(stream, standard)
        sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
        status = run_command("train", [*words, *resume])
        sys.stdout.flush()
        os._exit(status)

    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    return process


def _ended(process: BaseProcess, seconds: float | None = None) -> int | None:
    """Its exit status; None if it lives still."""
    process.join(seconds)
    return process.exitcode


def _kill(process: BaseProcess) -> None:
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert process.exitcode == -signal.SIGKILL


def _iteration(folder: Path) -> int:
    """Of the last checkpoint, which can be read; 0 without one."""
    path = folder / "last.pth"
    return int(torch.load(path, weights_only=True)["iteration"]) if path.exists() else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=50, help="kills (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=200, help="of a training (default: %(default)s)")
    parser.add_argument("--longest", type=float, default=6.0, help="seconds before a kill (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default: %(default)s)")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        tally = killed(Path(folder), asked.count, asked.steps, asked.longest, asked.seed)
    print(
        f"{tally.kills} kills, {tally.saving} of them while a file was being written, {tally.starts} starts from a "
        f"checkpoint; lost: no checkpoint, at most {max(tally.lost)} steps, {PERIOD} are between two checkpoints "
        f"({time.perf_counter() - start:.0f} s)"
    )


if __name__ == "__main__":
    main()
