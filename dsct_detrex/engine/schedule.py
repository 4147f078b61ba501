"""The learning rate as a function of progress: every group's own rate times one multiplier, as in detectron2.

``multiplier(where)`` is an fvcore-style scheduler of ``where`` = iteration / max_iter in [0, 1). It has no memory, so
the position in the schedule is the iteration, and resuming needs nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from torch.optim import Optimizer

Multiplier = Callable[[float], float]

_GRID = 1000  # probes over a run when looking for drops
_DROP = 0.9  # a single iteration that multiplies the rate by less than this is a drop, not a slope


class LearningRate:
    """Sets the rates of an optimizer's groups before each iteration."""

    def __init__(self, optimizer: Optimizer, multiplier: Multiplier, max_iter: int) -> None:
        self.optimizer = optimizer
        self.multiplier = multiplier
        self.max_iter = max_iter
        self.base = [float(group["lr"]) for group in optimizer.param_groups]

    def set(self, iteration: int) -> None:
        """Rates of the iteration with this number, counted from 0."""
        factor = float(self.multiplier(iteration / self.max_iter))
        for group, base in zip(self.optimizer.param_groups, self.base):
            group["lr"] = base * factor

    def highest(self) -> float:
        """The rate logged as ``lr``: that of the group with the highest base rate."""
        return float(max(zip(self.base, (g["lr"] for g in self.optimizer.param_groups)))[1])


@dataclass(frozen=True)
class Drop:
    """From ``iteration`` on (counted from 0) the multiplier is ``factor``."""

    iteration: int
    factor: float


def find_drops(multiplier: Multiplier, max_iter: int) -> list[Drop]:
    """The iterations at which the rate falls at once; smooth decay (cosine) has none, for a drop ends a plateau."""

    def at(iteration: int) -> float:
        return float(multiplier(iteration / max_iter))

    marks = sorted({round(i * (max_iter - 1) / _GRID) for i in range(_GRID + 1)})
    drops: list[Drop] = []
    for low, high in pairwise(marks):
        if at(high) >= _DROP * at(low):
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if at(middle) < _DROP * at(low) else (middle, high)
        after_another = bool(drops) and drops[-1].iteration == low
        after_a_plateau = low > 0 and abs(at(low) - at(low - 1)) <= 1e-6 * at(low)
        if at(high) < _DROP * at(low) and (after_a_plateau or after_another):
            drops.append(Drop(high, at(high)))
    return drops


def find_decay(multiplier: Multiplier, max_iter: int) -> float | None:
    """The multiplier of the last iteration, where it is lower than that after warm-up; None where it is not."""
    top = float(multiplier(find_warmup(multiplier, max_iter) / max_iter))
    end = float(multiplier((max_iter - 1) / max_iter))
    return end if end < _DROP * top else None


def find_warmup(multiplier: Multiplier, max_iter: int) -> int:
    """Iterations until the rate stops rising; 0 without warm-up."""
    low = float(multiplier(0.0))
    marks = sorted({round(i * (max_iter - 1) / _GRID) for i in range(_GRID + 1)})
    top = max(marks, key=lambda i: (float(multiplier(i / max_iter)), -i))
    if top == 0 or float(multiplier(top / max_iter)) <= low * (1 + 1e-9):
        return 0
    highest = float(multiplier(top / max_iter))
    first, last = 0, top
    while last - first > 1:
        middle = (first + last) // 2
        first, last = (
            (first, middle) if float(multiplier(middle / max_iter)) >= highest * (1 - 1e-9) else (middle, last)
        )
    return last
