"""One run from a config: build everything, then train, evaluate, or only say what would be done.

``run`` is what ``dsct train`` calls, and what a demo or a sweep calls in its own process.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from torch import nn

from dsct_detrex.config import ConfigError, config_to_yaml
from dsct_detrex.data import ImageError
from dsct_detrex.data.agreement import check_same_boxes, shared_pictures
from dsct_detrex.engine import build, ddp, fast_dev_run
from dsct_detrex.engine.best import BestTracker
from dsct_detrex.engine.checkpoint import RunState, last_path, read_last, restore
from dsct_detrex.engine.choice import check_metric, check_split, settled_rule
from dsct_detrex.engine.contracts import Scalars
from dsct_detrex.engine.device import choose_device
from dsct_detrex.engine.examine import Examiner
from dsct_detrex.engine.headlines import Headlines, headline_text, headlines, save_headlines
from dsct_detrex.engine.initial_weights import load_initial_weights
from dsct_detrex.engine.loggers import Record
from dsct_detrex.engine.output_folder import open_folder
from dsct_detrex.engine.plan import Plan, describe_plan, make_plan
from dsct_detrex.engine.resuming import keep_config, keep_seed
from dsct_detrex.engine.rng import seed_everything
from dsct_detrex.engine.schedule import LearningRate
from dsct_detrex.engine.session import (
    Draw,
    Session,
    make_average,
    make_examiner,
    make_loggers,
    make_releases,
    make_wandb,
    open_session,
)
from dsct_detrex.engine.step import TrainStep
from dsct_detrex.engine.summary import write_summary
from dsct_detrex.engine.trainer import Trainer
from dsct_detrex.errors import UserError


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
    settings = build.read_settings(cfg)
    device = choose_device(settings.device, ddp.local_rank())
    if resume and settings.seed < 0:
        keep_seed(cfg, read_last(Path(settings.output_dir)).get("config", {}))
    with ddp.process_group(device), _naming_our_key(cfg):
        session = open_session(cfg, device, quiet or not ddp.is_main(), draw)
        if eval_only:
            result = _evaluate(session)
        elif dry_run:
            result = _describe(session, resume)
        else:
            result = _train(session, resume)
    return TrainResult(result.metrics, result.output_dir, result.iteration, time.perf_counter() - start, result.best)


@contextmanager
def _naming_our_key(cfg: DictConfig) -> Iterator[None]:
    """A picture that cannot be used is reported with the key of the config that goes on without."""
    try:
        yield
    except ImageError as error:
        known = OmegaConf.select(cfg, "data.on_error") is not None
        raise error.with_skip("data.on_error=skip" if known and error.skip else error.skip) from error


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
    plan_text: str


def _evaluate(session: Session) -> _Outcome:
    model = build.build_model(session.cfg, session.device)
    load_initial_weights(model, session.settings, session.emotions, True, session.console.say)
    examiner = make_examiner(session, eval_only=True)
    if examiner is None:
        raise UserError("--eval-only needs dataloader.test and dataloader.evaluator; this config lacks one of them.")
    known = _say_headlines(session, examiner)
    examination = examiner.examine(model)
    loggers = make_wandb(session, None, known) if ddp.is_main() else []
    for logger in loggers:
        logger.log(Record(0, dict(examination.scalars), examination.predictions, examination.words()))
        logger.close(failed=False)
    return _Outcome(examination.scalars, session.output_dir)


def _describe(session: Session, resume: bool) -> _Outcome:
    content = read_last(session.output_dir) if resume else None
    parts = _build(session)
    examiner = make_examiner(session)
    _may_choose(session, examiner, parts.state.best)
    examiner = _with_shared_pictures(parts, examiner)
    _say_headlines(session, examiner, parts.state.loader)
    _check_boxes(parts, examiner)
    _take_up(session, parts, content)
    make_releases(session)  # whatever it cannot write is announced
    try:
        config_to_yaml(session.written)
    except ConfigError as error:
        session.console.say(f"note: no config.yaml will be written that loads again. {error}")
    session.console.say(parts.plan_text)
    session.console.say("dry run: nothing was trained or written.")
    return _Outcome({}, session.output_dir)


def _train(session: Session, resume: bool) -> _Outcome:
    console = session.console
    content = read_last(session.output_dir) if resume else None
    parts = _build(session)
    state = parts.state
    examiner = make_examiner(session)
    keep_best = _may_choose(session, examiner, state.best)
    examiner = _with_shared_pictures(parts, examiner)
    known = _say_headlines(session, examiner, state.loader)
    _check_boxes(parts, examiner)
    _take_up(session, parts, content)
    console.say(parts.plan_text)
    if state.iteration >= parts.plan.max_iter:
        console.say(
            f"Nothing is left to train: {state.iteration} of {parts.plan.max_iter} iterations are done. "
            "Raise train.max_epoch (or train.max_iter) to continue."
        )
    ddp.gather(None)  # the folder may hold the weights that others are still loading
    if ddp.is_main():
        if content is not None and content.get("config") != session.plain:
            keep_config(session.output_dir, state.iteration)
        open_folder(session.output_dir, session.written, session.device, session.seed, resume, console.say)
        save_headlines(session.output_dir, known)
    loggers = make_loggers(session, state, known) if ddp.is_main() else []
    trainer = Trainer(
        state=state,
        step=parts.step,
        learning_rate=parts.learning_rate,
        plan=parts.plan,
        examiner=examiner,
        releases=make_releases(session),
        loggers=loggers,
        console=console,
        output_dir=session.output_dir,
        keep_best=keep_best,
        resumed=resume,
    )
    failed, start = True, time.perf_counter()
    try:
        trainer.train()
        failed = False
    finally:
        console.close()
        for logger in loggers:
            logger.close(failed)
    if ddp.is_main():
        write_summary(session.output_dir, parts.model, state.iteration, time.perf_counter() - start, trainer.skipped)
    console.say(f"done: iteration {state.iteration}, results in {session.output_dir}")
    best = None if state.best.value is None else state.best.state_dict()
    return _Outcome(trainer.scalars, session.output_dir, state.iteration, best)


def _take_up(session: Session, parts: _Parts, content: dict[str, Any] | None) -> None:
    """Begin with the initial weights, or go on from the content of a ``last.pth``; says which and what changed."""
    state, say = parts.state, session.console.say
    if content is None:
        load_initial_weights(parts.model, session.settings, session.emotions, False, say)
    state.ema = make_average(session, parts.model)
    if content is not None:
        notes = restore(state, content, last_path(session.output_dir))
        say("\n".join([f"resumed at iteration {state.iteration}", *(f"note: {note}" for note in notes)]))


def _check_boxes(parts: _Parts, examiner: Examiner | None) -> None:
    """Refuse to train on one kind of boxes and to measure on another (``data/agreement.py``)."""
    if examiner is not None:
        check_same_boxes(*_data_sets(parts, examiner))


def _with_shared_pictures(parts: _Parts, examiner: Examiner | None) -> Examiner | None:
    """The examiner, saying beside every score that pictures of the evaluation are trained on, where that is so."""
    shared = None if examiner is None else shared_pictures(*_data_sets(parts, examiner))
    return examiner if examiner is None or shared is None else examiner.with_warning(shared)


def _data_sets(parts: _Parts, examiner: Examiner) -> tuple[object, object]:
    """Those of training and evaluation; None where a loader does not name its own."""
    return getattr(parts.state.loader, "dataset", None), getattr(examiner.loader, "dataset", None)


def _say_headlines(session: Session, examiner: Examiner | None, train: Any = None) -> Headlines:
    """Print what the splits hold; returns it."""
    known = headlines(train=train)
    if examiner is not None and examiner.headline is not None:
        known["test"] = examiner.headline
    if known:
        session.console.say(headline_text(known, None if examiner is None else examiner.max_batches))
    return known


def _may_choose(session: Session, examiner: Examiner | None, best: BestTracker) -> bool:
    """Whether evaluations choose the best checkpoint; a rule that cannot work is refused before the first step.

    Raises:
        UserError: see ``check_metric`` and ``check_split``.
    """
    if examiner is None:
        return False
    settings = session.settings
    check_metric(best.metric, examiner.evaluator, settings)
    note = check_split(examiner.split, settings.early_stop)
    if settings.fast_dev_run.enabled:
        return False  # four steps are no real evaluation
    if note:
        session.console.say(note)
    return not note


def _build(session: Session) -> _Parts:
    """Loader, model, optimizer and schedule; models start equal on all ranks, later random numbers differ."""
    cfg, settings, device = session.cfg, session.settings, session.device
    loader = build.build_loader(cfg, "train")
    if loader is None:
        raise UserError("dataloader.train expects a block of keys, which training needs. Got null.")
    seed_everything(session.seed, rank=0)
    model = build.build_model(cfg, device)
    seed_everything(session.seed, ddp.rank())
    optimizer = build.build_optimizer(cfg, model)
    plan = make_plan(settings, getattr(loader, "steps_per_epoch", None), build.batch_size(cfg))
    multiplier = fast_dev_run.constant if settings.fast_dev_run.enabled else build.build_multiplier(cfg)
    step = TrainStep(
        ddp.wrap(model, settings.ddp, device), optimizer, device, settings.amp, settings.clip_grad, settings.accumulate
    )
    best = BestTracker(settled_rule(settings.best, session.emotions), settings.early_stop)
    state = RunState(model, optimizer, step.scaler, None, best, loader, config=session.plain)
    text = describe_plan(plan, multiplier, optimizer)
    return _Parts(model, state, step, LearningRate(optimizer, multiplier, plan.max_iter), plan, text)
