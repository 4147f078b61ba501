"""What a run is going to do, in iterations and in epochs, decided before it starts and printed.

One iteration is one optimizer step: ``accumulate`` batches of ``batch_size`` images over all processes. With
``train.max_epoch`` the iterations and both periods follow from the loader's length; learning-rate milestones follow
too, because schedulers are functions of progress (see ``schedule.py``).
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass

from omegaconf import DictConfig, OmegaConf
from torch.optim import Optimizer

from dsct_detrex.counting import counted
from dsct_detrex.engine import fast_dev_run
from dsct_detrex.engine.schedule import Multiplier, find_decay, find_drops, find_warmup
from dsct_detrex.engine.screen.block import Row
from dsct_detrex.engine.settings import TrainSettings
from dsct_detrex.engine.words import listed
from dsct_detrex.errors import UserError


@dataclass(frozen=True)
class Plan:
    """``iters_per_epoch`` and ``batch_size`` (images of one batch over all processes) are None where the loader does
    not tell.

    A period of 0 or less means: only after the last iteration. ``by`` is the key that the length comes from.
    """

    max_iter: int
    iters_per_epoch: float | None
    eval_period: int
    checkpoint_period: int
    log_period: int
    accumulate: int
    batch_size: int | None
    by: str = "train.max_iter"

    def epoch(self, iteration: int) -> float | None:
        """Epochs done after ``iteration`` iterations."""
        return iteration / self.iters_per_epoch if self.iters_per_epoch else None

    def logs_at(self, iteration: int) -> bool:
        return self._due(iteration, self.log_period)

    def evaluates_at(self, iteration: int) -> bool:
        return self._due(iteration, self.eval_period)

    def saves_at(self, iteration: int) -> bool:
        return self._due(iteration, self.checkpoint_period)

    def _due(self, iteration: int, period: int) -> bool:
        return iteration == self.max_iter or (period > 0 and iteration % period == 0)


def make_plan(settings: TrainSettings, steps_per_epoch: int | None, batch_size: int | None) -> Plan:
    """Work out a run.

    Args:
        steps_per_epoch: batches that make one pass over the training set, or None if the loader does not know.
        batch_size: images of one batch over all processes, or None.

    Raises:
        UserError: ``train.max_epoch`` is set but the loader does not know its length.
    """
    iters_per_epoch = steps_per_epoch / settings.accumulate if steps_per_epoch else None
    if settings.max_epoch is None:
        max_iter, eval_period, checkpoint_period = settings.max_iter, settings.eval_period, settings.checkpointer.period
    elif iters_per_epoch is None:
        raise UserError(
            "train.max_epoch needs a training loader that knows its length (attribute steps_per_epoch), and "
            "dataloader.train does not: set train.max_epoch=null and train.max_iter instead."
        )
    else:
        max_iter = max(1, math.ceil(settings.max_epoch * iters_per_epoch))
        eval_period = _iterations(settings.eval_epochs, iters_per_epoch)
        checkpoint_period = _iterations(settings.checkpoint_epochs, iters_per_epoch)
    return Plan(
        max_iter=max_iter,
        iters_per_epoch=iters_per_epoch,
        eval_period=eval_period,
        checkpoint_period=checkpoint_period,
        log_period=settings.log_period,
        accumulate=settings.accumulate,
        batch_size=batch_size,
        by="train.max_iter" if settings.max_epoch is None else "train.max_epoch",
    )


def stated_steps(cfg: DictConfig) -> int:
    """The steps of a training as far as its config alone says: 0 where they follow from epochs."""
    cfg = copy.deepcopy(cfg)
    if OmegaConf.select(cfg, "train.fast_dev_run.enabled"):
        fast_dev_run.shrink(cfg)
    return 0 if cfg.train.get("max_epoch") is not None else int(cfg.train.max_iter)


def _iterations(epochs: float, iters_per_epoch: float) -> int:
    return max(1, round(epochs * iters_per_epoch)) if epochs > 0 else 0


def plan_rows(
    plan: Plan, multiplier: Multiplier, optimizer: Optimizer, done: int = 0, evaluates: bool = True, saves: bool = True
) -> list[Row]:
    """The plan as the rows a user reads before training starts.

    Args:
        done: steps that a resumed run has behind it.
        evaluates: whether anything is evaluated.
        saves: whether there is a ``last.pth``, and not only the last weights.
    """
    return [
        ("steps", f"{_total(plan)}{f', {done:,} done' if done else ''}"),
        ("batch", _batch(plan)),
        ("schedule", f"lr {_rates(optimizer)}, {_warmup(plan, multiplier)}, {_drops(plan, multiplier)}"),
        ("evaluations", _every(plan, plan.eval_period) if evaluates else "none"),
        ("checkpoints", _every(plan, plan.checkpoint_period) if saves else "none, only the last weights"),
    ]


def _total(plan: Plan) -> str:
    if plan.iters_per_epoch is None:
        return f"{plan.max_iter:,} (by {plan.by})"
    epochs = plan.max_iter / plan.iters_per_epoch
    return f"{plan.max_iter:,} = {epochs:.3g} epochs of {plan.iters_per_epoch:,.6g} (by {plan.by})"


def _batch(plan: Plan) -> str:
    if plan.batch_size is None:
        return f"{counted(plan.accumulate, 'batch')} a step"
    images = plan.batch_size * plan.accumulate
    accumulated = f": {plan.accumulate} batches of {plan.batch_size}" if plan.accumulate > 1 else ""
    return f"{counted(images, 'image')} a step{accumulated}"


def _every(plan: Plan, period: int) -> str:
    if period <= 0 or period >= plan.max_iter:
        return "once, after the last step"
    times = math.ceil(plan.max_iter / period)
    return f"every {_when(plan, period)}, {times} in all"


def _rates(optimizer: Optimizer) -> str:
    """The rates of all groups, the highest first: ``0.0002 and 2e-05``."""
    rates = {float(group.get("initial_lr", group["lr"])) for group in optimizer.param_groups}
    return listed(f"{rate:g}" for rate in sorted(rates, reverse=True))


def _warmup(plan: Plan, multiplier: Multiplier) -> str:
    length = find_warmup(multiplier, plan.max_iter)
    start = float(multiplier(0.0))
    return f"warm-up of {counted(length, 'step')} from x {start:g}" if length else "no warm-up"


def _drops(plan: Plan, multiplier: Multiplier) -> str:
    if drops := find_drops(multiplier, plan.max_iter):
        return ", ".join(f"x {drop.factor:g} after {_when(plan, drop.iteration)}" for drop in drops)
    end = find_decay(multiplier, plan.max_iter)
    return "no drops" if end is None else f"falling smoothly to x {end:.2g}"


def _when(plan: Plan, iterations: int) -> str:
    epoch = plan.epoch(iterations)
    return f"{counted(iterations, 'step')}{'' if epoch is None else f' (epoch {epoch:.3g})'}"


def group_lines(optimizer: Optimizer) -> list[str]:
    """One line for each distinct (lr, weight decay), with the number of tensors and of weights."""
    sizes: dict[tuple[float, float], tuple[int, int]] = {}
    for group in optimizer.param_groups:
        key = (float(group.get("initial_lr", group["lr"])), float(group.get("weight_decay", 0.0)))
        tensors, weights = sizes.get(key, (0, 0))
        sizes[key] = (tensors + len(group["params"]), weights + sum(p.numel() for p in group["params"]))
    return [
        f"lr {lr:g}, weight decay {decay:g}: {counted(tensors, 'tensor')}, {counted(weights, 'weight')}"
        for (lr, decay), (tensors, weights) in sorted(sizes.items(), reverse=True)
    ]
