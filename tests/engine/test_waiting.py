"""Steps that wait for pictures: told once, with what helps."""

from __future__ import annotations

import pytest

from dsct_detrex.engine import waiting
from dsct_detrex.engine.waiting import WaitForData


@pytest.fixture(autouse=True)
def four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "cores", lambda: 4)


@pytest.mark.parametrize(
    ("readings", "told_at"),
    [
        ([], []),
        ([(1.0, 0.9)], []),  # the workers started
        ([(1.0, 0.9), (1.0, 0.5), (1.0, 0.9)], [1]),
        ([(1.0, 0.0), (1.0, 0.09), (1.0, 0.11)], [2]),
        ([(1.0, 0.0), (0.01, 0.009), (0.012, 0.011)], [2]),  # a hundredth of a second a step
        ([(0.0, 0.0), (0.0, 0.0)], []),
    ],
)
def test_when_it_is_told(readings: list[tuple[float, float]], told_at: list[int]) -> None:
    wait = WaitForData(num_workers=1)
    assert [number for number, reading in enumerate(readings) if wait.news(*reading)] == told_at


@pytest.mark.parametrize(
    ("num_workers", "sentence"),
    [
        (1, "; raise dataloader.train.num_workers, now 1 (this machine has 4 cores)."),
        (4, ", and more than dataloader.train.num_workers=4 would not help on 4 cores; pictures that are smaller on "
            "disk would."),
        (None, "."),
    ],
)  # fmt: skip
def test_what_is_told(num_workers: int | None, sentence: str) -> None:
    wait = WaitForData(num_workers)
    wait.news(2.0, 0.7)
    assert wait.news(2.0, 0.7) == f"note: steps wait 35% of their time for pictures{sentence}"
