"""What a training is made of, built once and in one order, with all that is refused before its first step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn

from dsct_detrex.data.agreement import check_same_boxes, shared_pictures
from dsct_detrex.engine import build, ddp, fast_dev_run
from dsct_detrex.engine.best import BestTracker
from dsct_detrex.engine.checkpoint import RunState, last_path, restore
from dsct_detrex.engine.choice import check_metric, check_split, settled_rule
from dsct_detrex.engine.compilation import compile_regions, compile_words
from dsct_detrex.engine.examine import Examiner
from dsct_detrex.engine.headlines import Headlines, known_headlines
from dsct_detrex.engine.initial_weights import InitialWeights, load_initial_weights
from dsct_detrex.engine.introduction import Introduction, introduce
from dsct_detrex.engine.plan import Plan, group_lines, make_plan, plan_rows
from dsct_detrex.engine.precision import settled
from dsct_detrex.engine.rng import seed_everything
from dsct_detrex.engine.schedule import LearningRate
from dsct_detrex.engine.session import Session, make_average, make_examiner
from dsct_detrex.engine.step import TrainStep
from dsct_detrex.engine.teaching import teach
from dsct_detrex.errors import UserError
from dsct_detrex.rewrites import chosen, names


@dataclass
class Parts:
    """All of a training.

    Attributes:
        examiner: None where nothing is evaluated.
        keep_best: whether evaluations choose the best checkpoint.
        known: what the splits hold.
        introduction: what is said of it all.
    """

    model: nn.Module
    state: RunState
    step: TrainStep
    learning_rate: LearningRate
    plan: Plan
    examiner: Examiner | None
    keep_best: bool
    known: Headlines
    introduction: Introduction


def build_parts(session: Session, content: dict[str, Any] | None, dry_run: bool = False) -> Parts:
    """Loaders, model, optimizer and schedule; models start equal on all ranks, later random numbers differ.

    Args:
        content: of the ``last.pth`` to go on from; None begins with the initial weights.
        dry_run: see ``introduce``.

    Raises:
        UserError: something that the config says cannot be built, or cannot be trained or evaluated.
    """
    cfg, settings, device = session.cfg, session.settings, session.device
    loader = build.build_loader(cfg, "train")
    if loader is None:
        raise UserError("dataloader.train expects a block of keys, which training needs. Got null.")
    seed_everything(session.seed, rank=0)
    model = build.build_model(cfg, device, settings.rewrites)
    seed_everything(session.seed, ddp.rank())
    compiled = compile_regions(model, settings.compile, device)
    optimizer = build.build_optimizer(cfg, model)
    plan = make_plan(settings, getattr(loader, "steps_per_epoch", None), build.batch_size(cfg))
    multiplier = fast_dev_run.constant if settings.fast_dev_run.enabled else build.build_multiplier(cfg)
    step = TrainStep(
        ddp.wrap(model, settings.ddp, device),
        optimizer,
        device,
        settled(settings.amp, device),
        settings.clip_grad,
        settings.accumulate,
    )
    best = BestTracker(settled_rule(settings.best, session.emotions), settings.early_stop)
    state = RunState(model, optimizer, step.scaler, None, best, loader, config=session.plain)
    learning_rate = LearningRate(optimizer, multiplier, plan.max_iter)
    groups = group_lines(optimizer)
    examiner = make_examiner(session)
    keep_best = _may_choose(session, examiner, best)
    if examiner is not None:
        examiner = examiner.cautioned(model)
        data_sets = getattr(loader, "dataset", None), getattr(examiner.loader, "dataset", None)
        if (shared := shared_pictures(*data_sets)) is not None:
            examiner = examiner.with_warning(shared)
        check_same_boxes(*data_sets)
    known = known_headlines(examiner, loader)
    weights = _take_up(session, state, content)
    short = settings.fast_dev_run.enabled
    rows = plan_rows(plan, multiplier, optimizer, state.iteration, evaluates=examiner is not None, saves=not short)
    rows += [("compiled", compile_words(compiled, settings.compile))] if compiled else []
    taken = dict.fromkeys(kind.name for kind in chosen(settings.rewrites))
    if len(taken) < len(names()):
        rows.append(("rewrites", ", ".join(taken) or "none, modules run as they are written"))
    introduction = introduce(session, model, weights, known, examiner, rows, groups, dry_run=dry_run)
    return Parts(model, state, step, learning_rate, plan, examiner, keep_best, known, introduction)


def _take_up(session: Session, state: RunState, content: dict[str, Any] | None) -> InitialWeights:
    """Begin with the initial weights, or go on from the content of a ``last.pth``; says which and what changed."""
    start = session.settings.init_checkpoint
    if content is None:
        state.teacher = teach(state.model, start)
        weights = load_initial_weights(state.model, session.settings, session.emotions, False)
        state.ema = make_average(session, state.model)
        return weights
    state.ema = make_average(session, state.model)
    path = last_path(session.output_dir)
    state.teacher = teach(state.model, start, content)
    if state.teacher is not None:
        state.config["train"]["init_checkpoint"] = content["config"]["train"]["init_checkpoint"]
    notes = restore(state, content, path)
    return InitialWeights(f"{path}\nresumed at iteration {state.iteration}", tuple(f"note: {note}" for note in notes))


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
