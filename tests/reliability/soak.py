"""A long run does not grow: training with evaluations and checkpoints, and prediction, watched for an hour.

``python -m tests.reliability.soak --minutes 60`` trains and then predicts for as long; ``--pictures 10000`` predicts so
many small files with ``dsct predict`` instead. The test does the same for seconds.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from dsct_detrex.cli.running import INTERRUPTED, guarded
from dsct_detrex.cli.train import parse
from dsct_detrex.data.synthetic import SyntheticScenes
from dsct_detrex.engine import run
from dsct_detrex.engine.compose import compose
from dsct_detrex.prediction import Predictor
from tests.commands import predict
from tests.prediction.tiny_release import write_release
from tests.reliability.watching import Growth, watched

SMALL = (
    "hosts.deformable_detr.num_queries=10",
    "hosts.deformable_detr.embed_dim=64",
    "hosts.deformable_detr.position_embedding.num_pos_feats=32",
    "hosts.deformable_detr.transformer.encoder.num_layers=1",
    "hosts.deformable_detr.transformer.decoder.num_layers=2",
    "dataloader.train.dataset.size=[64,48]",
    "dataloader.test.dataset.size=[64,48]",
    "dataloader.train.mapper.transforms.scales=[48]",
    "dataloader.test.mapper.transforms.size=48",
    "dataloader.train.total_batch_size=4",
    "dataloader.test.batch_size=4",
    "dataloader.test.dataset.length=8",
)
OFTEN = (
    "train.max_iter=100000000",
    "train.log_period=5",
    "train.eval_period=10",
    "train.checkpointer.period=10",
    "train.checkpointer.max_to_keep=2",
    "train.model_ema.enabled=True",
)
Work = Callable[[Any], int]


def training(folder: Path) -> Work:
    """A training that evaluates and saves all the time, with workers for its pictures; it counts its log's lines."""

    def work(done: Any) -> int:
        words = ["--config", "demo", "--device", "cpu", *SMALL, *OFTEN, f"train.output_dir={folder}"]
        cfg = compose(parse(words), lambda told: None)
        from dsct_detrex.engine.trainer import Trainer

        iterate = Trainer._iterate

        def counted(trainer: Trainer, batches: Iterator[Any]) -> None:
            iterate(trainer, batches)
            done.value += 1

        Trainer._iterate = counted  # type: ignore[method-assign]
        return guarded(lambda: 0 if run(cfg, quiet=True) else 1)

    return work


def predicting(folder: Path) -> Work:
    """A release applied to scenes that never end, of several sizes."""
    release = write_release(folder / "tiny.safetensors")
    sizes = ((64, 48), (48, 64), (96, 48), (50, 50))

    def work(done: Any) -> int:
        predictor = Predictor.from_checkpoint(release, device="cpu")
        scenes = [SyntheticScenes("caer_s", "test", length=1_000_000, size=size) for size in sizes]

        def pictures() -> Iterator[Any]:
            number = 0
            while True:
                yield np.asarray(scenes[number % len(scenes)].load_image(number))
                number += 1

        for result in predictor(pictures(), batch_size=4):
            assert result.to_dict()
            done.value += 1
        return 0

    return work


def command(folder: Path, pictures: int) -> Work:
    """``dsct predict`` on a folder of so many small files."""
    release = write_release(folder / "tiny.safetensors")
    source = folder / "pictures"
    source.mkdir()
    for seed in range(16):
        Image.fromarray(np.random.default_rng(seed).integers(0, 255, (24, 32, 3), dtype=np.uint8)).save(
            folder / f"{seed}.png"
        )
    for number in range(pictures):
        os.link(folder / f"{number % 16}.png", source / f"{number:06}.png")

    def work(done: Any) -> int:
        stream = Predictor.stream

        def counted(*given: Any, **settings: Any) -> Iterator[Any]:
            for result in stream(*given, **settings):
                done.value += 1
                yield result

        Predictor.stream = counted  # type: ignore[method-assign]
        words = [str(release), str(source), "--out", str(folder / "out"), "--format", "csv,jsonl", "--device", "cpu"]
        return predict([*words, "--batch-size", "8"])

    return work


def soak(work: Work, seconds: float, every: float, log: Path) -> tuple[Growth, int | None]:
    """Watch a piece of work in a process of its own, then ask it to end.

    Returns:
        What grew, and the exit status; None where it had to be killed.
    """
    context = multiprocessing.get_context("fork")
    done = context.Value("q", 0, lock=False)
    child = context.Process(target=_child, args=(work, done, log))
    child.start()
    assert child.pid is not None
    while done.value == 0 and child.is_alive():
        time.sleep(0.05)
    samples = watched(child.pid, seconds, every, lambda: done.value)
    if child.is_alive():
        os.kill(child.pid, signal.SIGTERM)
    child.join(60)
    status = child.exitcode
    if status is None:
        child.kill()
        child.join()
    return Growth.of(samples), status


def _child(work: Work, done: Any, log: Path) -> None:
    torch.set_num_threads(1)
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(target, 1)
    os.dup2(target, 2)
    status = work(done)
    sys.stdout.flush()
    os._exit(status)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--minutes", type=float, default=60.0, help="for training, and again for prediction")
    parser.add_argument("--pictures", type=int, default=0, help="predict so many files with dsct predict instead")
    parser.add_argument("--only", choices=("training", "predicting"), help="one of the two")
    given = parser.parse_args()
    seconds = 60 * given.minutes
    failed = False
    with tempfile.TemporaryDirectory(prefix="soak") as place:
        folder = Path(place)
        if given.pictures:
            works = {f"dsct predict of {given.pictures} files": command(folder, given.pictures)}
            seconds, expected = 1e9, 0
        else:
            works = {"training": training(folder / "run"), "predicting": predicting(folder)}
            works = {name: work for name, work in works.items() if given.only in (None, name)}
        for name, work in works.items():
            expected = 0 if given.pictures else INTERRUPTED if name == "training" else -signal.SIGTERM
            growth, status = soak(work, seconds, max(0.1, min(seconds / 1000, 1.0)), folder / "log.txt")
            problems = growth.problems(memory=8.0, pace=1.1)
            if status != expected:
                problems.append(f"ended with {status}")
                print((folder / "log.txt").read_text()[-2000:])
            print(f"{name}: {growth}{''.join(f'; {one}' for one in problems)}", flush=True)
            failed |= bool(problems)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
