"""A training whose steps wait for pictures is told so, once, with what to do about it."""

from __future__ import annotations

import os
from dataclasses import dataclass

_WORTH_TELLING = 0.1
"""Share of the time that is."""
_NOTICEABLE = 0.01
"""Seconds a step; a training of less is over before anybody would change it."""


def cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass
class WaitForData:
    """Looks at the times of a run as they are logged.

    Args:
        num_workers: processes that read pictures; None where the loader does not say.
    """

    num_workers: int | None
    _readings: int = 0
    _told: bool = False

    def news(self, seconds: float, data_seconds: float) -> str | None:
        """What to tell after a reading; the first, in which the workers start, is not judged.

        Args:
            seconds, data_seconds: of a mean step, all of it and what it waited for its pictures.
        """
        self._readings += 1
        if self._told or self._readings < 2 or data_seconds < max(_WORTH_TELLING * seconds, _NOTICEABLE):
            return None
        self._told = True
        return f"note: steps wait {data_seconds / seconds:.0%} of their time for pictures{self._remedy()}."

    def _remedy(self) -> str:
        if self.num_workers is None:
            return ""
        if self.num_workers < cores():
            return f"; raise dataloader.train.num_workers, now {self.num_workers} (this machine has {cores()} cores)"
        return (
            f", and more than dataloader.train.num_workers={self.num_workers} would not help on {cores()} cores; "
            "pictures that are smaller on disk would"
        )
