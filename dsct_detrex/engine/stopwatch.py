"""Mean seconds of a step, and of waiting for its data, since the last reading."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Stopwatch:
    """Seconds since the last reading: all of them, and those spent waiting for data."""

    iterations: int = 0
    total: float = 0.0
    data: float = 0.0

    def add(self, seconds: float) -> None:
        """A step took so long."""
        self.iterations += 1
        self.total += seconds

    def read(self) -> tuple[float, float]:
        """Mean (total, data) seconds an iteration; starts again from zero."""
        count = max(self.iterations, 1)
        means = self.total / count, self.data / count
        self.iterations, self.total, self.data = 0, 0.0, 0.0
        return means
