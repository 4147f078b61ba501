"""Means of whatever is a number: values come under a key, NaN are left out, and what never came has no mean."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Means:
    """Sums and counts by key."""

    def __init__(self) -> None:
        self._sums: dict[Hashable, Floats] = {}
        self._counts: dict[Hashable, int] = defaultdict(int)

    def add(self, key: Hashable, rows: Floats) -> None:
        """Values (n,), or rows (n, K) whose mean is taken column by column; rows with a NaN are left out."""
        kept = rows[np.isfinite(rows.reshape(len(rows), -1)).all(1)] if len(rows) else rows
        if len(kept):
            self._sums[key] = self._sums.get(key, np.zeros(rows.shape[1:])) + kept.sum(0)
            self._counts[key] += len(kept)

    def of(self, key: Hashable) -> float | None:
        """The mean of values."""
        return float(self._sums[key] / self._counts[key]) if key in self._sums else None

    def row(self, key: Hashable) -> list[float] | None:
        """The mean of rows."""
        return [float(value) for value in self._sums[key] / self._counts[key]] if key in self._sums else None
