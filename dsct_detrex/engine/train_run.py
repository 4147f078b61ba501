"""One run from a config: build everything, then train, evaluate, or only say what would be done.

``run`` is what ``dsct train`` calls, and what a demo or a sweep calls in its own process.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from dsct_detrex.cli.invocation import this_command
from dsct_detrex.config import ConfigError, config_to_yaml
from dsct_detrex.data import ImageError
from dsct_detrex.engine import build, ddp, elastic, lost_process
from dsct_detrex.engine.checkpoint import read_last
from dsct_detrex.engine.contracts import Scalars
from dsct_detrex.engine.device import choose_device
from dsct_detrex.engine.ending import tell_evaluation, tell_training
from dsct_detrex.engine.headlines import known_headlines, save_headlines
from dsct_detrex.engine.host_memory import keep_freed_memory
from dsct_detrex.engine.initial_weights import load_initial_weights
from dsct_detrex.engine.introduction import introduce
from dsct_detrex.engine.loggers import Record
from dsct_detrex.engine.output_folder import open_folder
from dsct_detrex.engine.parts import build_parts
from dsct_detrex.engine.report import report_evaluation, report_training
from dsct_detrex.engine.resuming import keep_config, keep_seed
from dsct_detrex.engine.session import (
    Draw,
    Session,
    make_examiner,
    make_loggers,
    make_releases,
    make_wandb,
    open_session,
)
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
    told: Sequence[str] = (),
) -> TrainResult:
    """Train (or evaluate) what a config describes; the config itself is not changed.

    Args:
        cfg: with the top-level names ``train, model, dataloader, optimizer, lr_multiplier``, and ``emotions`` for
            releases.
        resume: continue from ``<train.output_dir>/last.pth``.
        eval_only: evaluate ``train.init_checkpoint`` and return.
        dry_run: build everything, print the plan, write nothing.
        quiet: print nothing; ``log.txt`` is written all the same.
        draw: makes the picture of one prediction for the W&B table; None lets W&B draw the boxes.
        told: what the caller has told already, for ``log.txt``.

    A run that torchrun starts once more, after a process was lost or machines came or went, goes on by itself.

    Raises:
        UserError: config, files or data cannot be used; says what to change. Another process is gone.
        Interrupted: Ctrl-C, SIGTERM or a closed terminal during training, after saving.
    """
    start = time.perf_counter()
    cfg = copy.deepcopy(cfg)
    build.check_top_level(cfg)
    settings = build.read_settings(cfg)
    if resume and settings.fast_dev_run.enabled:
        raise UserError(
            "--resume with train.fast_dev_run.enabled=True: a run of four steps leaves nothing to go on from and would "
            "spoil the run in its folder; leave one of the two out."
        )
    device = choose_device(settings.device, ddp.local_rank())
    if device.type == "cpu":
        keep_freed_memory()
    folder, trains = Path(settings.output_dir), not (eval_only or dry_run)
    with lost_process.explained(folder, trains), ddp.process_group(device):
        again = trains and not resume and not settings.fast_dev_run.enabled and elastic.starts_again(folder)
        resume = resume or again
        if resume and settings.seed < 0:
            keep_seed(cfg, read_last(folder).get("config", {}))
        session = open_session(cfg, device, quiet or not ddp.is_main(), draw)
        with session.console.chronicle(), _naming_our_key(cfg), lost_process.explained(folder, trains):
            session.console.detail("\n".join([f"command: {this_command()}", *told]))
            if again:
                session.console.say("note: torchrun has started this run again: it goes on from its last checkpoint.")
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


def _evaluate(session: Session) -> _Outcome:
    console = session.console
    model = build.build_model(session.cfg, session.device, session.settings.rewrites)
    weights = load_initial_weights(model, session.settings, session.emotions, True)
    examiner = make_examiner(session, eval_only=True)
    if examiner is None:
        raise UserError("--eval-only needs dataloader.test and dataloader.evaluator; this config lacks one of them.")
    examiner = examiner.cautioned(model).calibrated(model)
    known = known_headlines(examiner)
    introduce(session, model, weights, known, examiner).tell(console)
    session.open_log()
    examination = examiner.examine(model)
    tell_evaluation(session, examination)
    loggers = make_wandb(session, None, known) if ddp.is_main() else []
    for logger in loggers:
        logger.log(Record(0, dict(examination.scalars), examination.predictions, examination.words()))
        logger.close(failed=False)
    if ddp.is_main():
        report_evaluation(session, examiner, examination.report_of(""))
    return _Outcome(examination.scalars, session.output_dir)


def _describe(session: Session, resume: bool) -> _Outcome:
    parts = build_parts(session, read_last(session.output_dir) if resume else None, dry_run=True)
    make_releases(session)  # whatever it cannot write is announced
    try:
        config_to_yaml(session.written)
    except ConfigError as error:
        session.console.say(f"note: no config.yaml will be written that loads again. {error}")
    parts.introduction.tell(session.console)
    session.console.say("dry run: nothing was trained or written.")
    return _Outcome({}, session.output_dir)


def _train(session: Session, resume: bool) -> _Outcome:
    console = session.console
    content = read_last(session.output_dir) if resume else None
    parts = build_parts(session, content)
    state = parts.state
    parts.introduction.tell(console)
    if state.iteration >= parts.plan.max_iter:
        console.say(
            f"Nothing is left to train: {state.iteration} of {parts.plan.max_iter} iterations are done. "
            "Raise train.max_epoch (or train.max_iter) to continue."
        )
    started_by = elastic.launchers()  # also waits: the folder may hold the weights that others are still loading
    if ddp.is_main():
        if content is not None and content.get("config") != session.plain:
            keep_config(session.output_dir, state.iteration)
        open_folder(session.output_dir, session.written, session.device, session.seed, resume, console.say, started_by)
        save_headlines(session.output_dir, parts.known)
    session.open_log()
    loggers = make_loggers(session, state, parts.known) if ddp.is_main() else []
    trainer = Trainer(
        state=state,
        step=parts.step,
        learning_rate=parts.learning_rate,
        plan=parts.plan,
        examiner=parts.examiner,
        releases=make_releases(session),
        loggers=loggers,
        console=console,
        output_dir=session.output_dir,
        keep_best=parts.keep_best,
        resumed=resume,
        checkpoints=not session.settings.fast_dev_run.enabled,
    )
    failed = True
    try:
        trainer.train()
        failed = False
    finally:
        console.close()
        for logger in loggers:
            logger.close(failed)
    if ddp.is_main():
        write_summary(session.output_dir, parts.model, state.iteration, state.seconds, trainer.skipped)
        report_training(session, parts.examiner, None if state.best.value is None else state.best.state_dict())
    tell_training(session, state, trainer.account.examination)
    best = None if state.best.value is None else state.best.state_dict()
    return _Outcome(trainer.scalars, session.output_dir, state.iteration, best)
