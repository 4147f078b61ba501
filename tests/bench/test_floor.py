"""Floors from rates that are known."""

import pytest
import torch

from dsct_detrex.bench.floor import COPIED_BYTES, Rates, measure_rates
from dsct_detrex.bench.timing import Run

RATES = Rates(operations=100.0, copies=((10, 50.0), (1000, 5.0)))


@pytest.mark.parametrize(
    ("operations", "traffic", "floor"),
    [
        (0, 0, 0.0),
        (200, 0, 2.0),  # by operations
        (200, 100, 2.0),  # 100 bytes at the rate of the cache: 2 s as well
        (200, 999, 999 / 50),  # the copy of 1000 bytes is larger than that
        (200, 1000, 1000 / 5),  # by memory
        (0, 1, 1 / 50),  # smaller than the smallest copy
    ],
)
def test_floor_is_the_larger_of_two_times(operations: float, traffic: float, floor: float) -> None:
    assert RATES.floor(operations, traffic) == pytest.approx(floor)


class EverSecond:
    """Every call takes a second; nothing is run."""

    def seconds(self, run: Run, calls: int) -> float:
        return float(calls)


def test_rates_count_what_is_read_and_written() -> None:
    rates = measure_rates(torch.device("cpu"), EverSecond())
    assert rates.operations == 2 * 2048**3, "the fastest product: with such a clock the largest"
    assert rates.copies == tuple((size, float(size)) for size in COPIED_BYTES)
