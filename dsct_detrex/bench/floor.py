"""The floor of a piece of work: no way of doing it on this machine is faster.

It is the larger of two times: its operations at the rate of the fastest product of matrices, and the bytes that must
move at the rate of a copy of as many bytes (so that what fits a cache is measured against that cache). Both rates are
measured in the same run.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass

import torch

from dsct_detrex.bench.timing import Clock, clock_of

PRODUCT_SIDES = (512, 1024, 2048)
COPIED_BYTES = tuple(2**power for power in (18, 20, 22, 24, 26, 28))
_REPEATS = 5


@dataclass(frozen=True)
class Rates:
    """What a device reaches.

    Attributes:
        operations: a second, float32, in a product of square matrices.
        copies: (bytes read and written, bytes a second) of copies, ascending.
    """

    operations: float
    copies: tuple[tuple[int, float], ...]

    def bandwidth(self, traffic: float) -> float:
        """Bytes a second of the largest measured copy that moves no more than so many; of the smallest at least."""
        place = bisect.bisect_right([size for size, _ in self.copies], traffic)
        return self.copies[max(place - 1, 0)][1]

    def floor(self, operations: float, traffic: float) -> float:
        """Seconds that the work takes at least."""
        return max(operations / self.operations, traffic / self.bandwidth(traffic) if traffic else 0.0)


def measure_rates(device: torch.device, clock: Clock | None = None) -> Rates:
    """Measure both, best of several; takes about two seconds on a CPU."""
    clock = clock or clock_of(device)
    operations = max(_product_rate(side, device, clock) for side in PRODUCT_SIDES)
    return Rates(operations, tuple((size, _copy_rate(size, device, clock)) for size in COPIED_BYTES))


def _product_rate(side: int, device: torch.device, clock: Clock) -> float:
    left, right, out = (torch.ones(side, side, device=device) for _ in range(3))
    return 2 * side**3 / _best(lambda: torch.mm(left, right, out=out), clock, 1)


def _copy_rate(size: int, device: torch.device, clock: Clock) -> float:
    """``size`` counts what is read and what is written."""
    source, target = (torch.ones(size // 8, device=device) for _ in range(2))
    calls = max(1, 2**24 // size)
    return size / _best(lambda: target.copy_(source), clock, calls)


def _best(run: object, clock: Clock, calls: int) -> float:
    return min(clock.seconds(run, calls) / calls for _ in range(_REPEATS))  # type: ignore[arg-type]
