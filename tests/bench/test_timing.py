"""Turns with a clock that is wound by hand."""

from dataclasses import dataclass, field

import pytest
import torch

from dsct_detrex.bench.timing import EventClock, Run, WallClock, clock_of, take_turns


@dataclass
class HandClock:
    """Every call of a run takes as long as the run says; remembers who ran."""

    order: list[str] = field(default_factory=list)

    def seconds(self, run: Run, calls: int) -> float:
        name, seconds = run()
        self.order.append(name)
        return float(seconds) * calls


def test_all_take_turns_and_who_begins_moves_on() -> None:
    clock = HandClock()
    times = take_turns({"a": lambda: ("a", 0.1), "b": lambda: ("b", 0.2), "c": lambda: ("c", 4.0)}, clock, 3)
    assert clock.order[:5] == ["a", "a", "b", "b", "c"], "one call to warm up, one to see how long a short one takes"
    assert clock.order[5:] == ["a", "b", "c", "b", "c", "a", "c", "a", "b"]
    assert [times[name].median for name in "abc"] == [0.1, 0.2, 4.0]


def test_median_and_range_of_samples() -> None:
    durations = iter([9.0, 5.0, 1.0, 3.0])  # the first warms up
    (times,) = take_turns({"a": lambda: ("a", next(durations))}, HandClock(), 3).values()
    assert (times.samples, times.median, times.low, times.high) == ([5.0, 1.0, 3.0], 3.0, 1.0, 5.0)


@pytest.mark.parametrize(("seconds", "calls"), [(0.004, 3), (0.01, 1), (7.0, 1)])
def test_short_calls_are_repeated_within_a_turn(seconds: float, calls: int) -> None:
    (times,) = take_turns({"a": lambda: ("a", seconds)}, HandClock(), 2, least_seconds=0.01).values()
    assert times.calls == calls
    assert times.samples == pytest.approx([seconds, seconds]), "a sample is of one call"


def test_who_fails_keeps_its_error_and_the_others_go_on() -> None:
    tried: list[str] = []

    def fail() -> tuple[str, float]:
        tried.append("bad")
        raise ValueError("broken")

    times = take_turns({"good": lambda: ("good", 1.0), "bad": fail}, HandClock(), 2)
    assert times["good"].samples == [1.0, 1.0]
    assert times["good"].error is None
    assert str(times["bad"].error) == "broken"
    assert times["bad"].samples == []
    assert len(tried) == 1, "it is not tried again"


def test_an_interruption_is_no_error_of_a_candidate() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        take_turns({"a": interrupt}, WallClock(), 1)


def test_clocks() -> None:
    waited = []
    assert WallClock(lambda: waited.append(1)).seconds(lambda: None, 2) >= 0
    assert len(waited) == 2, "before and after"
    assert isinstance(clock_of(torch.device("cpu")), WallClock)
    assert clock_of(torch.device("cuda", 0)) == EventClock(torch.device("cuda", 0))
