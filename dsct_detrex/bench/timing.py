"""Times of several candidates that take turns, so that a busy machine disturbs all alike.

Within every repeat each candidate runs once; who begins moves on by one from repeat to repeat, so that none always
follows the same other. A call that is too short for the clock is repeated within its turn.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch

Run = Callable[[], Any]

LEAST_SECONDS = 0.01
"""Of one turn; shorter calls are repeated within it."""


LONG_SECONDS = 1.0
"""Of a call that needs no second one to know that it fills a turn."""


class Clock(Protocol):
    def seconds(self, run: Run, calls: int) -> float:
        """How long so many calls take together."""


@dataclass(frozen=True)
class WallClock:
    """Wall time on a device whose work ``synchronise`` waits for."""

    synchronise: Callable[[], Any] = field(default=lambda: None)

    def seconds(self, run: Run, calls: int) -> float:
        self.synchronise()
        begin = time.perf_counter()
        for _ in range(calls):
            run()
        self.synchronise()
        return time.perf_counter() - begin


@dataclass(frozen=True)
class EventClock:
    """Time between two events in the stream of a CUDA device; waits for both."""

    device: torch.device

    def seconds(self, run: Run, calls: int) -> float:
        make: Any = torch.cuda.Event
        begin, end = (make(enable_timing=True) for _ in range(2))
        torch.cuda.synchronize(self.device)
        begin.record()
        for _ in range(calls):
            run()
        end.record()
        torch.cuda.synchronize(self.device)
        return float(begin.elapsed_time(end)) / 1e3


def clock_of(device: torch.device) -> Clock:
    """The clock that is right for a device."""
    if device.type == "cuda":
        return EventClock(device)
    return WallClock(torch.mps.synchronize) if device.type == "mps" else WallClock()


@dataclass
class Times:
    """Seconds of one call, one sample a turn.

    Attributes:
        calls: within a turn.
        error: why there are no (more) samples.
    """

    calls: int = 1
    samples: list[float] = field(default_factory=list)
    error: Exception | None = None

    @property
    def median(self) -> float:
        return statistics.median(self.samples) if self.samples else math.nan

    @property
    def low(self) -> float:
        return min(self.samples, default=math.nan)

    @property
    def high(self) -> float:
        return max(self.samples, default=math.nan)


def take_turns(
    runs: Mapping[str, Run], clock: Clock, repeats: int, least_seconds: float = LEAST_SECONDS
) -> dict[str, Times]:
    """Warm every candidate up, then time them in turns.

    Args:
        runs: candidate -> what is timed.
        repeats: samples of each.
        least_seconds: see ``LEAST_SECONDS``.

    Returns:
        candidate -> its times; one that raises keeps the error and takes no further turns.
    """
    times = {name: Times() for name in runs}
    for name, run in runs.items():
        with _keeping_error(times[name]):
            once = clock.seconds(run, 1)  # what happens once: packing, growing of pools
            if once < LONG_SECONDS:
                times[name].calls = max(1, math.ceil(least_seconds / max(clock.seconds(run, 1), 1e-9)))
    names = list(runs)
    for repeat in range(repeats):
        first = repeat % len(names)
        for name in names[first:] + names[:first]:
            mine = times[name]
            if mine.error is None:
                with _keeping_error(mine):
                    mine.samples.append(clock.seconds(runs[name], mine.calls) / mine.calls)
    return times


class _keeping_error:
    """An error of a candidate becomes part of its times."""

    def __init__(self, times: Times) -> None:
        self.times = times

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        if isinstance(error, Exception):
            self.times.error = error
        return isinstance(error, Exception)
