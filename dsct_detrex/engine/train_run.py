"""One run from a config: build everything, then train, evaluate, or only say what would be done.

``run`` is what ``scripts/train.py`` calls, and what a demo or a sweep calls in its own process.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf
from torch import nn

from dsct_detrex.config import ConfigError
from dsct_detrex.engine import build, ddp, fast_dev_run
from dsct_detrex.engine.best import BestTracker
from dsct_detrex.engine.checkpoint import RunState, last_path, read_last, restore
from dsct_detrex.engine.contracts import Scalars
from dsct_detrex.engine.device import choose_device
from dsct_detrex.engine.ema import WeightAverage
from dsct_detrex.engine.examine import Examiner
from dsct_detrex.engine.initial_weights import load_initial_weights
from dsct_detrex.engine.loggers import (
    Console,
    CsvLogger,
    JsonlLogger,
    Logger,
    Prediction,
    Record,
    TensorboardLogger,
    WandbLogger,
)
from dsct_detrex.engine.output_folder import open_folder
from dsct_detrex.engine.plan import Plan, describe_plan, make_plan
from dsct_detrex.engine.release import ReleaseWriter
from dsct_detrex.engine.rng import seed_everything
from dsct_detrex.engine.schedule import LearningRate
from dsct_detrex.engine.settings import TrainSettings
from dsct_detrex.engine.step import TrainStep
from dsct_detrex.engine.trainer import Trainer
from dsct_detrex.structures import Emotions

Draw = Callable[[Prediction], Any]


@dataclass(frozen=True)
class TrainResult:
    """What a run came to.

    Attributes:
        metrics: the latest value of everything measured, e.g. ``total_loss``, ``emotion/mAP``, ``ema/emotion/mAP``.
        iteration: optimizer steps done, those before a resume included; 0 for an evaluation.
        best: ``metric``, ``value`` and ``iteration`` of the best evaluation, or None without one.
    """

    metrics: Scalars
    output_dir: Path
    iteration: int
    seconds: float
    best: Mapping[str, Any] | None = None


def run(
    cfg: DictConfig,
    *,
    resume: bool = False,
    eval_only: bool = False,
    dry_run: bool = False,
    quiet: bool = False,
    draw: Draw | None = None,
) -> TrainResult:
    """Train (or evaluate) what a config describes; the config itself is not changed.

    Args:
        cfg: with the top-level names ``train, model, dataloader, optimizer, lr_multiplier``, and ``emotions`` for
            releases.
        resume: continue from ``<train.output_dir>/last.pth``.
        eval_only: evaluate ``train.init_checkpoint`` and return.
        dry_run: build everything, print the plan, write nothing.
        quiet: print nothing.
        draw: makes the picture of one prediction for the W&B table; None lets W&B draw the boxes.

    Raises:
        UserError: config, files or data cannot be used; says what to change.
        Interrupted: Ctrl-C or SIGTERM during training, after saving.
    """
    start = time.perf_counter()
    cfg = copy.deepcopy(cfg)
    build.check_top_level(cfg)
    device = choose_device(str(cfg.train.get("device", "auto")), ddp.local_rank())
    with ddp.process_group(device):
        session = _open(cfg, device, quiet or not ddp.is_main(), draw)
        if eval_only:
            result = _evaluate(session)
        elif dry_run:
            result = _describe(session)
        else:
            result = _train(session, resume)
    return TrainResult(result.metrics, result.output_dir, result.iteration, time.perf_counter() - start, result.best)


@dataclass(frozen=True)
class _Session:
    """What every kind of run needs. ``written`` is the config as it is saved, without this machine's device."""

    cfg: DictConfig
    written: DictConfig
    settings: TrainSettings
    device: torch.device
    console: Console
    emotions: Emotions | None
    plain: dict[str, Any]
    draw: Draw | None

    @property
    def output_dir(self) -> Path:
        return Path(self.settings.output_dir)


@dataclass(frozen=True)
class _Outcome:
    metrics: Scalars
    output_dir: Path
    iteration: int = 0
    best: Mapping[str, Any] | None = None


@dataclass
class _Parts:
    """What training needs besides: built once, in this order."""

    model: nn.Module
    state: RunState
    step: TrainStep
    learning_rate: LearningRate
    plan: Plan
    plan_text: str = field(default="")


def _open(cfg: DictConfig, device: torch.device, quiet: bool, draw: Draw | None) -> _Session:
    """Settle the config: short run, seed, device."""
    if OmegaConf.select(cfg, "train.fast_dev_run.enabled"):
        fast_dev_run.shrink(cfg)
    seed = seed_everything(ddp.from_main(int(cfg.train.get("seed", -1))), rank=0)
    OmegaConf.update(cfg, "train.seed", ddp.from_main(seed), force_add=True)
    written = copy.deepcopy(cfg)
    OmegaConf.update(cfg, "train.device", device.type, force_add=True)
    plain = build.plain_config(cfg)
    settings = TrainSettings.read(plain["train"])
    torch.backends.cudnn.benchmark = settings.cudnn_benchmark
    if settings.float32_precision:
        torch.set_float32_matmul_precision(settings.float32_precision)
    return _Session(cfg, written, settings, device, Console(quiet), build.build_emotions(cfg), plain, draw)


def _evaluate(session: _Session) -> _Outcome:
    model = build.build_model(session.cfg, session.device)
    load_initial_weights(model, session.settings, session.emotions, True, session.console.say)
    examination = _examiner(session, needed=True).examine(model)  # type: ignore[union-attr]  # needed
    loggers = _wandb(session, None) if ddp.is_main() else []
    for logger in loggers:
        logger.log(Record(0, dict(examination.scalars), examination.predictions))
        logger.close(failed=False)
    return _Outcome(examination.scalars, session.output_dir)


def _describe(session: _Session) -> _Outcome:
    parts = _build(session)
    load_initial_weights(parts.model, session.settings, session.emotions, False, session.console.say)
    _examiner(session)
    session.console.say(parts.plan_text)
    session.console.say("dry run: nothing was trained or written.")
    return _Outcome({}, session.output_dir)


def _train(session: _Session, resume: bool) -> _Outcome:
    settings, console = session.settings, session.console
    content = read_last(session.output_dir) if resume else None
    parts = _build(session)
    state = parts.state
    examiner = _examiner(session)
    if content is None:
        load_initial_weights(parts.model, settings, session.emotions, False, console.say)
        state.ema = _average(session, parts.model)
    else:
        state.ema = _average(session, parts.model)
        notes = restore(state, content, last_path(session.output_dir))
        console.say("\n".join([f"resumed at iteration {state.iteration}", *(f"note: {note}" for note in notes)]))
    console.say(parts.plan_text)
    if state.iteration >= parts.plan.max_iter:
        console.say(
            f"Nothing is left to train: {state.iteration} of {parts.plan.max_iter} iterations are done. "
            "Raise train.max_epoch (or train.max_iter) to continue."
        )
    if ddp.is_main():
        open_folder(
            session.output_dir, session.written, session.device, session.plain["train"]["seed"], resume, console.say
        )
    loggers = _loggers(session, state) if ddp.is_main() else []
    trainer = Trainer(
        state=state,
        step=parts.step,
        learning_rate=parts.learning_rate,
        plan=parts.plan,
        examiner=examiner,
        releases=_releases(session),
        loggers=loggers,
        console=console,
        output_dir=session.output_dir,
        keep_best=not settings.fast_dev_run.enabled,
        resumed=resume,
    )
    failed = True
    try:
        trainer.train()
        failed = False
    finally:
        for logger in loggers:
            logger.close(failed)
    console.say(f"done: iteration {state.iteration}, results in {session.output_dir}")
    best = None if state.best.value is None else state.best.state_dict()
    return _Outcome(trainer.scalars, session.output_dir, state.iteration, best)


def _build(session: _Session) -> _Parts:
    """Loader, model, optimizer and schedule; models start equal on all ranks, later random numbers differ."""
    cfg, settings, device = session.cfg, session.settings, session.device
    loader = build.build_loader(cfg, "train")
    seed = session.plain["train"]["seed"]
    seed_everything(seed, rank=0)
    model = build.build_model(cfg, device)
    seed_everything(seed, ddp.rank())
    optimizer = build.build_optimizer(cfg, model)
    plan = make_plan(settings, getattr(loader, "steps_per_epoch", None), build.batch_size(cfg))
    multiplier = fast_dev_run.constant if settings.fast_dev_run.enabled else build.build_multiplier(cfg)
    step = TrainStep(
        ddp.wrap(model, settings.ddp, device), optimizer, device, settings.amp, settings.clip_grad, settings.accumulate
    )
    best = BestTracker(settings.best, settings.early_stop)
    state = RunState(model, optimizer, step.scaler, None, best, loader)
    text = describe_plan(plan, multiplier, optimizer)
    return _Parts(model, state, step, LearningRate(optimizer, multiplier, plan.max_iter), plan, text)


def _average(session: _Session, model: nn.Module) -> WeightAverage | None:
    ema = session.settings.model_ema
    return WeightAverage(model, ema.decay, ema.device) if ema.enabled else None


def _examiner(session: _Session, needed: bool = False) -> Examiner | None:
    """The examiner, or None (announced) where the config has no test loader or no evaluator."""
    loader, evaluator = build.build_loader(session.cfg, "test"), build.build_loader(session.cfg, "evaluator")
    if loader is None or evaluator is None:
        missing = "dataloader.test" if loader is None else "dataloader.evaluator"
        if needed:
            raise ConfigError(f"--eval-only needs dataloader.test and dataloader.evaluator; {missing} is missing.")
        session.console.say(f"note: nothing is evaluated, because the config has no {missing}.")
        return None
    settings = session.settings
    return Examiner(
        loader=loader,
        evaluator=evaluator,
        console=session.console,
        output_dir=session.output_dir,
        max_batches=fast_dev_run.EVAL_BATCHES if settings.fast_dev_run.enabled else None,
        num_pictures=settings.wandb.num_pictures if settings.wandb.enabled else 0,
    )


def _releases(session: _Session) -> ReleaseWriter | None:
    """The writer of releases, or None (announced) where the config cannot be put into one."""
    if session.emotions is None:
        session.console.say("note: no *.safetensors is written, because the config has no `emotions`.")
        return None
    try:
        text = build.release_config(session.written)
    except ConfigError as error:
        session.console.say(f"note: no *.safetensors is written. {error}")
        return None
    keep = session.settings.checkpointer.max_to_keep
    return ReleaseWriter(session.output_dir, session.emotions, text, session.settings.thresholds, keep)


def _loggers(session: _Session, state: RunState) -> list[Logger]:
    folder, start = session.output_dir, state.iteration
    loggers: list[Logger] = [
        session.console,
        JsonlLogger(folder / "metrics.jsonl", start),
        CsvLogger(folder / "metrics.csv", start),
    ]
    if session.settings.tensorboard.enabled:
        loggers.append(TensorboardLogger(folder / "tensorboard", start))
    for logger in _wandb(session, state.wandb_run_id):
        state.wandb_run_id = logger.run_id
        loggers.append(logger)
    return loggers


def _wandb(session: _Session, run_id: str | None) -> list[WandbLogger]:
    wandb = session.settings.wandb
    if not wandb.enabled:
        return []
    say = session.console.say
    return [WandbLogger(wandb.params, session.output_dir, session.plain, run_id, session.emotions, session.draw, say)]
