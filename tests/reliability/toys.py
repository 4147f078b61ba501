"""Trainings of the engine's toys, with everything on that a checkpoint has to carry."""

from __future__ import annotations

import sys
from pathlib import Path

from omegaconf import DictConfig

sys.path.insert(0, str(Path(__file__).parents[1] / "engine"))

import engine_toys

from dsct_detrex.config import apply_overrides
from dsct_detrex.engine import run

EVERYTHING = (
    "train.model_ema.enabled=true",
    "train.accumulate=2",
    "train.amp={enabled:true,dtype:float16}",
    "train.max_iter=11",
    "train.eval_period=3",
    "train.log_period=2",
    "train.checkpointer.period=4",
    "lr_multiplier={_target_:dsct_detrex.config.CosineParamScheduler,start_value:1.0,end_value:0.1}",
)


def toy(folder: Path, *overrides: str) -> DictConfig:
    """The config of a training into ``folder``."""
    return apply_overrides(engine_toys.toy_config(str(folder)), [*EVERYTHING, *overrides])


def train(folder: Path, *overrides: str) -> int:
    """Train, or go on where there is a checkpoint; the exit status is 0."""
    run(toy(folder, *overrides), resume=(folder / "last.pth").exists(), quiet=True)
    return 0
