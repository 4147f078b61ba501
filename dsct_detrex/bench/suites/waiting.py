"""The demo's training, step after step: pictures a second, and the share of a step that waits for its pictures.

A turn starts the workers, lets them fill their queue, takes some steps and stops them. The wait is what the engine logs
as ``data_time``; a loader that is slower than the step shows in every step once its queue is empty.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import Any

from omegaconf import DictConfig

from dsct_detrex.bench.contracts import Candidate, Case, Ready, Setting
from dsct_detrex.config import apply_overrides, load_config
from dsct_detrex.config.building import instantiate
from dsct_detrex.engine.build import build_model, build_optimizer, read_settings
from dsct_detrex.engine.step import TrainStep
from dsct_detrex.engine.stopwatch import Stopwatch
from dsct_detrex.paths import projects_folder

WORKERS = (1, 2)
BATCH, BATCH_QUICK = 16, 2
STEPS, STEPS_QUICK = 12, 2

_QUEUED = 3
"""Steps before the watch runs: at least as many as a worker has batches ready."""


def cases(setting: Setting) -> Iterator[Case]:
    batch, steps = (BATCH_QUICK, STEPS_QUICK) if setting.quick else (BATCH, STEPS)
    candidates = [
        Candidate(f"workers: {number}", partial(_training, setting, number, batch, steps), x=number)
        for number in WORKERS
    ]
    yield Case("training of the demo", candidates, images=batch * (_QUEUED + steps), same=False, axis="workers")


def _training(setting: Setting, workers: int, batch: int, steps: int) -> Ready:
    cfg = _demo(f"dataloader.train.num_workers={workers}", f"dataloader.train.total_batch_size={batch}")
    settings = read_settings(cfg)
    model = build_model(cfg, setting.device, settings.rewrites).train()
    step = TrainStep(model, build_optimizer(cfg, model), setting.device, settings.amp, settings.clip_grad, 1)
    loader = instantiate(cfg.dataloader.train)
    facts: dict[str, Any] = {}
    watch = Stopwatch()

    def run() -> None:
        batches = iter(loader)
        for number in range(_QUEUED + steps):
            start = time.perf_counter()
            images = next(batches)
            fetched = time.perf_counter()
            step.backward(images, last=True)
            step.update(measure=False)
            if number >= _QUEUED:
                watch.data += fetched - start
                watch.add(time.perf_counter() - start)
        facts["waits"] = watch.data / watch.total

    return Ready(run, facts=facts)


def _demo(*changes: str) -> DictConfig:
    cfg: DictConfig = apply_overrides(load_config(projects_folder() / "demo.py"), list(changes))
    return cfg
