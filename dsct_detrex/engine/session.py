"""What a run holds before it does anything: the settled config, its device and console, and what is made from them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf
from torch import nn

from dsct_detrex.config import ConfigError
from dsct_detrex.engine import build, ddp, fast_dev_run
from dsct_detrex.engine.checkpoint import RunState
from dsct_detrex.engine.ema import WeightAverage
from dsct_detrex.engine.examine import TRAINING_STEM, Examiner
from dsct_detrex.engine.headlines import Headlines, headlines, plain_headlines
from dsct_detrex.engine.loggers import (
    CsvLogger,
    JsonlLogger,
    Logger,
    Prediction,
    TensorboardLogger,
    WandbLogger,
)
from dsct_detrex.engine.release import ReleaseWriter, threshold_table
from dsct_detrex.engine.rng import seed_everything
from dsct_detrex.engine.screen import Console, LogFile
from dsct_detrex.engine.settings import TrainSettings
from dsct_detrex.errors import UserError, reason_of
from dsct_detrex.evaluation import EmotionEvaluator
from dsct_detrex.structures import Emotions, ObjectClasses

Draw = Callable[[Prediction], Any]


@dataclass(frozen=True)
class Session:
    """What every kind of run needs.

    Attributes:
        cfg: the config with this process's device.
        written: the config as it is saved, with the device the user asked for.
        plain: the resolved config as plain values, for loggers.
        seed: the seed used, also where the config asked for a random one.
        draw: see ``run``.
    """

    cfg: DictConfig
    written: DictConfig
    settings: TrainSettings
    device: torch.device
    console: Console
    emotions: Emotions | None
    plain: dict[str, Any]
    seed: int
    draw: Draw | None

    @property
    def output_dir(self) -> Path:
        return Path(self.settings.output_dir)

    def open_log(self) -> None:
        """From now on what is told is written to ``log.txt``; until now it waited."""
        if self.console.log_file is not None:
            self.console.log_file.open(self.output_dir)


def open_session(cfg: DictConfig, device: torch.device, quiet: bool, draw: Draw | None) -> Session:
    """Settle a config, in place: short run, seed, device."""
    if OmegaConf.select(cfg, "train.fast_dev_run.enabled"):
        fast_dev_run.shrink(cfg)
    seed = ddp.from_main(seed_everything(int(cfg.train.get("seed", -1)), rank=0))
    OmegaConf.update(cfg, "train.seed", seed, force_add=True)
    written = copy.deepcopy(cfg)
    OmegaConf.update(cfg, "train.device", device.type, force_add=True)
    plain = build.plain_config(cfg)
    settings = TrainSettings.read(plain["train"])
    torch.backends.cudnn.benchmark = settings.cudnn_benchmark
    if settings.float32_precision:
        torch.set_float32_matmul_precision(settings.float32_precision)
    console = Console(quiet, log=LogFile("" if ddp.is_main() else f"[rank {ddp.rank()}] "))
    return Session(cfg, written, settings, device, console, build.build_emotions(cfg), plain, seed, draw)


def make_average(session: Session, model: nn.Module) -> WeightAverage | None:
    """The average of the weights, or None where none is asked for.

    Raises:
        UserError: there is no such device.
    """
    ema = session.settings.model_ema
    if not ema.enabled:
        return None
    try:
        torch.empty(0, device=ema.device or None)
    except (RuntimeError, AssertionError) as error:  # a name that torch does not know; a GPU that is not there
        reason = reason_of(error)
        raise UserError(
            f"train.model_ema.device expects a device, such as cpu or cuda. Got {ema.device!r}: {reason}"
        ) from error
    return WeightAverage(model, ema.decay, ema.device)


def make_examiner(session: Session, eval_only: bool = False) -> Examiner | None:
    """The examiner, or None (announced) where the config has no test loader or no evaluator.

    Args:
        eval_only: its result goes into a file named after the split, beside that of a training.
    """
    loader, evaluator = build.build_loader(session.cfg, "test"), build.build_loader(session.cfg, "evaluator")
    if loader is None or evaluator is None:
        missing = "dataloader.test" if loader is None else "dataloader.evaluator"
        session.console.say(f"note: nothing is evaluated, because the config has no {missing}.")
        return None
    settings = session.settings
    known = headlines(test=loader).get("test")
    split = known.split if known else None
    stem = f"{TRAINING_STEM}_{split or 'eval'}" if eval_only else TRAINING_STEM
    if known is not None and hasattr(evaluator, "describe_dataset"):
        evaluator.describe_dataset(known)
    if isinstance(evaluator, EmotionEvaluator):
        evaluator.stem = stem
        evaluator.pictures = settings.report.pictures if settings.report.enabled else 0
    return Examiner(
        loader=loader,
        evaluator=evaluator,
        console=session.console,
        output_dir=session.output_dir,
        max_batches=fast_dev_run.EVAL_BATCHES if settings.fast_dev_run.enabled else None,
        num_pictures=settings.wandb.num_pictures if settings.wandb.enabled else 0,
        stem=stem,
        headline=known,
    )


def make_releases(session: Session) -> ReleaseWriter | None:
    """The writer of releases, or None (announced) where the config cannot be put into one."""
    if session.emotions is None:
        session.console.say("note: no *.safetensors is written, because the config has no `emotions`.")
        return None
    try:
        text = build.release_config(session.written)
    except ConfigError as error:
        session.console.say(f"note: no *.safetensors is written. {error}")
        return None
    threshold_table(session.emotions, session.settings.thresholds)  # a mistake shows now, not after an epoch
    settings = session.settings
    note = fast_dev_run.NOTE if settings.fast_dev_run.enabled else ""
    keep = settings.checkpointer.max_to_keep
    return ReleaseWriter(
        session.output_dir, session.emotions, text, settings.thresholds, keep, note, session.console.say
    )


def make_loggers(session: Session, state: RunState, known: Headlines) -> list[Logger]:
    folder, start = session.output_dir, state.iteration
    loggers: list[Logger] = [JsonlLogger(folder / "metrics.jsonl", start), CsvLogger(folder / "metrics.csv", start)]
    if session.settings.tensorboard.enabled:
        loggers.append(TensorboardLogger(folder / "tensorboard", start))
    for logger in make_wandb(session, state.wandb_run_id, known):
        state.wandb_run_id = logger.run_id
        loggers.append(logger)
    return loggers


def make_wandb(session: Session, run_id: str | None, known: Headlines) -> list[WandbLogger]:
    """The W&B run, if there is to be one; its config has what the splits hold as ``splits``."""
    wandb = session.settings.wandb
    if not wandb.enabled:
        return []
    say, config = session.console.say, {**session.plain, "splits": plain_headlines(known)}
    people = None if isinstance(session.emotions, ObjectClasses) else session.emotions  # the table is one of people
    return [WandbLogger(wandb.params, session.output_dir, config, run_id, people, session.draw, say)]
