"""Pictures a second: decoding and augmenting JPEG files, drawing scenes, and loaders with more and more workers.

The files are drawn scenes of the size, written as EMOTIC lies on a disk, read by its reader and augmented by its
recipe. Loaders are those of the configs; a turn of theirs starts the workers, takes some batches and stops them, as
workers left running would prepare batches while others have their turn.
"""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from functools import cache, partial
from itertools import islice
from typing import Any

from omegaconf import DictConfig

from dsct_detrex.bench.contracts import LARGE, Candidate, Case, Ready, Setting, Size
from dsct_detrex.config import apply_overrides, load_config
from dsct_detrex.config.building import instantiate
from dsct_detrex.data.synthetic import write_dataset
from dsct_detrex.paths import config_folder, projects_folder

PICTURES = 8
"""Files that are written; each is read again and again, so that the disk's cache has them all."""

WORKERS = (0, 1, 2, 4)
BATCH, BATCHES = 4, 16


def cases(setting: Setting) -> Iterator[Case]:
    size = setting.sizes_or(LARGE)[0]
    files = cache(lambda: _Files(size))
    yield Case(f"one JPEG of {size}", _single(lambda: files().config), images=1, same=False)
    yield Case("one drawn scene", _single(_drawn), images=1, same=False)
    yield _loader(f"batches of JPEGs of {size}", lambda: files().config, setting)
    yield _loader("batches of drawn scenes", _drawn, setting)


class _Files:
    """Pictures in a folder that is gone when nobody needs them any more."""

    def __init__(self, size: Size) -> None:
        self._folder = tempfile.TemporaryDirectory()
        sizes = {"train": PICTURES, "val": PICTURES}
        write_dataset(
            "emotic", self._folder.name, sizes, annotations="json", size=(size.width, size.height), overwrite=True
        )
        self.config = _config("emotic", f"data.root={self._folder.name}")


def _drawn() -> DictConfig:
    """What the demo trains on."""
    return _config("synthetic")


def _config(data: str, *changes: str) -> DictConfig:
    cfg: DictConfig = load_config(projects_folder() / "deformable_detr_dsct.py")
    block = load_config(config_folder() / "common" / "data" / f"{data}.py")
    for name in ("data", "dataloader", "emotions", "classification"):
        cfg[name] = block[name]
    changed: DictConfig = apply_overrides(cfg, list(changes))
    return changed


def _single(config: Callable[[], DictConfig]) -> list[Candidate]:
    """Reading a picture, and what becomes of it in training and in evaluation."""

    def read() -> Ready:
        dataset = instantiate(config().dataloader.train.dataset)
        return Ready(_in_turn(len(dataset), dataset.load_image))

    def mapped(split: str) -> Ready:
        block = config().dataloader[split]
        dataset, mapper = instantiate(block.dataset), instantiate(block.mapper)
        return Ready(_in_turn(len(dataset), lambda index: mapper(dataset.record(index), dataset.load_image(index))))

    return [
        Candidate("read or drawn", read),
        Candidate("and augmented to train", partial(mapped, "train")),
        Candidate("and resized to evaluate", partial(mapped, "test")),
    ]


def _in_turn(length: int, work: Callable[[int], Any]) -> Callable[[], Any]:
    """Does the work for one picture after the other."""
    done = iter(range(10**9))
    return lambda: work(next(done) % min(length, PICTURES))


def _loader(name: str, config: Callable[[], DictConfig], setting: Setting) -> Case:
    def ready(workers: int) -> Ready:
        changes = [f"dataloader.train.num_workers={workers}", f"dataloader.train.total_batch_size={BATCH}"]
        loader = instantiate(apply_overrides(config(), changes).dataloader.train)
        return Ready(lambda: deque(islice(loader, batches), maxlen=0))

    batches = BATCHES // 8 if setting.quick else BATCHES
    workers = WORKERS[:2] if setting.quick else WORKERS
    candidates = [Candidate(f"workers: {number}", partial(ready, number), x=number) for number in workers]
    return Case(name, candidates, images=batches * BATCH, same=False, axis="workers")
