"""Reproducible random choices, addressed by a key such as (seed, split, index, purpose).

Streams are Philox counters seeded through ``SeedSequence``, both of which numpy keeps stable, and every choice is made
from plain uniform doubles: the same key gives the same picture on every run, in every process, in any order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeVar

import numpy as np

T = TypeVar("T")

_BLOCK = 128  # doubles drawn at a time: one numpy call instead of many


@lru_cache(64)
def _as_integer(part: int | str) -> int:
    if isinstance(part, str):
        return int.from_bytes(hashlib.sha256(part.encode()).digest()[:8], "little")
    return part


class Dice:
    """A stream of random choices.

    Args:
        key: non-negative integers and texts that name the stream.
    """

    def __init__(self, *key: int | str) -> None:
        seed = np.random.SeedSequence([_as_integer(part) for part in key])
        self._generator = np.random.Generator(np.random.Philox(seed))
        self._rolls: list[float] = []

    def roll(self) -> float:
        """A double in [0, 1)."""
        if not self._rolls:
            self._rolls = self._generator.random(_BLOCK).tolist()
        return self._rolls.pop()

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.roll()

    def chance(self, probability: float) -> bool:
        return self.roll() < probability

    def pick(self, items: Sequence[T]) -> T:
        return items[int(self.roll() * len(items))]

    def index(self, weights: Sequence[float]) -> int:
        """An index with probability proportional to its (non-negative) weight."""
        left = self.roll() * sum(weights)
        for i, weight in enumerate(weights):
            left -= weight
            if left < 0:
                return i
        return max(i for i, weight in enumerate(weights) if weight > 0)

    def shuffled(self, items: Sequence[T]) -> list[T]:
        keys = [self.roll() for _ in items]
        return [items[i] for i in sorted(range(len(items)), key=keys.__getitem__)]
