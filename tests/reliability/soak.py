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

from dsct_detrex.cli.running import guarded
from dsct_detrex.cli.train import parse
from dsct_detrex.data.synthetic import SyntheticScenes
from dsct_detrex.engine import run
from dsct_detrex.engine.compose import compose
from dsct_detrex.prediction import Predictor
from tests.commands import predict
from tests.prediction.tiny_release import write_release
from tests.reliability.watching import Diary, Growth, looks

EVERY = {"training": 4, "predicting": 10}
"""Steps, or pictures, between two looks; there is an evaluation and a checkpoint between any two."""
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
    "dataloader.test.dataset.length=4",
)
OFTEN = (
    "train.init_checkpoint=",
    "train.max_iter=100000000",
    "train.log_period=5",
    f"train.eval_period={EVERY['training']}",
    f"train.checkpointer.period={EVERY['training']}",
    "train.checkpointer.max_to_keep=2",
    "train.model_ema.enabled=True",
)
Work = Callable[[Diary], int]


def training(folder: Path) -> Work:
    """A training that evaluates and saves all the time, with workers for its pictures."""

    def work(diary: Diary) -> int:
        words = ["--config", "demo", "--device", "cpu", *SMALL, *OFTEN, f"train.output_dir={folder}"]
        cfg = compose(parse(words), lambda told: None)
        from dsct_detrex.engine.trainer import Trainer

        iterate = Trainer._iterate

        def counted(trainer: Trainer, batches: Iterator[Any]) -> None:
            iterate(trainer, batches)
            diary.count()

        Trainer._iterate = counted  # type: ignore[method-assign]
        return guarded(lambda: 0 if run(cfg, quiet=True) else 1)

    return work


def predicting(folder: Path) -> Work:
    """A release applied to scenes that never end, of several sizes."""
    release = write_release(folder / "tiny.safetensors")
    sizes = ((64, 48), (48, 64), (96, 48), (50, 50))

    def work(diary: Diary) -> int:
        predictor = Predictor.from_checkpoint(release, device="cpu")
        scenes = [SyntheticScenes("caer_s", "test", length=1_000_000, size=size) for size in sizes]

        def pictures() -> Iterator[Any]:
            number = 0
            while True:
                yield np.asarray(scenes[number % len(scenes)].load_image(number))
                number += 1

        for result in predictor(pictures(), batch_size=4):
            assert result.to_dict()
            diary.count()
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

    def work(diary: Diary) -> int:
        stream = Predictor.stream

        def counted(*given: Any, **settings: Any) -> Iterator[Any]:
            for result in stream(*given, **settings):
                diary.count()
                yield result

        Predictor.stream = counted  # type: ignore[method-assign]
        words = [str(release), str(source), "--out", str(folder / "out"), "--format", "csv,jsonl", "--device", "cpu"]
        return predict([*words, "--batch-size", "8"])

    return work


def soak(
    work: Work, every: int, folder: Path, seconds: float = float("inf"), wanted: int = sys.maxsize
) -> tuple[Growth, int | None]:
    """Let a piece of work look at itself in a process of its own, then ask it to end.

    Args:
        every: steps or pictures between two looks.
        folder: for the diary and ``log.txt``.
        seconds, wanted: time, or number of looks, whichever is over first; it may end by itself before.

    Returns:
        What grew, and the exit status; None where it had to be killed.
    """
    path = folder / "diary.jsonl"
    path.unlink(missing_ok=True)
    child = multiprocessing.get_context("fork").Process(target=_child, args=(work, path, every, folder / "log.txt"))
    child.start()
    assert child.pid is not None
    end = time.monotonic() + seconds
    while child.is_alive() and time.monotonic() < end and (wanted == sys.maxsize or len(looks(path)) < wanted):
        time.sleep(0.05)
    if child.is_alive():
        os.kill(child.pid, signal.SIGTERM)
    child.join(60)
    status = child.exitcode
    if status is None:
        child.kill()
        child.join()
    return Growth.of(looks(path)), status


def _child(work: Work, path: Path, every: int, log: Path) -> None:
    torch.set_num_threads(1)
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(target, 1)
    os.dup2(target, 2)
    status = work(Diary(path, every, offset=every // 2))
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
            seconds = float("inf")
        else:
            works = {"training": training(folder / "run"), "predicting": predicting(folder)}
            works = {name: work for name, work in works.items() if given.only in (None, name)}
        for name, work in works.items():
            expected = 0 if given.pictures else 128 + signal.SIGTERM if name == "training" else -signal.SIGTERM
            growth, status = soak(work, EVERY.get(name, 50), folder, seconds)
            problems = growth.problems(memory=8.0, pace=1.1)
            if status != expected:
                problems.append(f"ended with {status}")
                print((folder / "log.txt").read_text()[-2000:])
            print(f"{name}: {growth}{''.join(f'; {one}' for one in problems)}", flush=True)
            failed |= bool(problems)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
