"""A case from candidates to rows: references, wrong results, failures, floors."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from dsct_detrex.bench.contracts import Candidate, Case, Ready, Setting
from dsct_detrex.bench.floor import Rates
from dsct_detrex.bench.measuring import Means, measure_case, peak_of, sentence
from dsct_detrex.bench.memory import Memory
from dsct_detrex.bench.results import CaseResult
from dsct_detrex.errors import UserError

RATES = Rates(operations=1e3, copies=((1, 1e3),))


class Clock:
    """A run tells how long it took."""

    def seconds(self, run: Callable[[], Any], calls: int) -> float:
        return float(run()) * calls


def candidate(name: str, seconds: float, value: float = 1.0, **rest: Any) -> Candidate:
    ready = Ready(lambda: seconds, lambda: torch.tensor([value]), **rest)
    return Candidate(name, lambda: ready)


def measure(*candidates: Candidate, peak: Any = lambda *_: None, **case: Any) -> CaseResult:
    return measure_case("suite", Case("case", candidates, **case), Means(Clock(), RATES, 3, peak))


def test_ratios_and_differences_are_to_the_first() -> None:
    slow, fast, wrong = measure(candidate("a", 4.0), candidate("b", 2.0), candidate("c", 1.0, 1.5), images=2).rows
    assert (slow.times, fast.times, wrong.times) == (1.0, 2.0, 4.0)
    assert (slow.difference, fast.difference, wrong.difference) == (0.0, 0.0, 0.5)
    assert (slow.per_second, fast.per_second) == (0.5, 1.0)
    assert slow.samples == (4.0, 4.0, 4.0)


def test_all_draw_the_same_random_numbers_in_every_run() -> None:
    drawn: list[torch.Tensor] = []

    def draw() -> torch.Tensor:
        drawn.append(torch.rand(3))
        return drawn[-1]

    for seed in (1, 2):
        before = torch.manual_seed(seed).get_state()
        rows = measure(*(Candidate(name, lambda: Ready(lambda: 1.0, draw)) for name in "ab")).rows
        assert [row.difference for row in rows] == [0.0, 0.0]
        assert torch.equal(torch.random.get_rng_state(), before)
    assert len(drawn) == 4
    assert all(torch.equal(one, drawn[0]) for one in drawn)


def test_who_fails_says_why_and_the_next_is_the_reference() -> None:
    def broken() -> Ready:
        raise UserError("it needs a compiler")

    first, second, third = measure(Candidate("a", broken), candidate("b", 2.0), candidate("c", 1.0)).rows
    assert (first.error, first.median, first.times) == ("it needs a compiler", None, None)
    assert (second.times, third.times, second.error) == (1.0, 2.0, "")


def test_who_fails_only_when_timed_is_no_reference() -> None:
    calls = iter([torch.tensor([1.0])])  # enough to be compared
    first, second = measure(Candidate("a", lambda: Ready(lambda: next(calls))), candidate("b", 2.0)).rows
    assert first.error.startswith("StopIteration")
    assert first.difference == 0.0
    assert second.times == 1.0


def test_failing_while_it_runs_and_failing_alone() -> None:
    def fail() -> Any:
        raise ValueError("two\nlines")

    (row,) = measure(Candidate("a", lambda: Ready(fail, lambda: None))).rows
    assert row.error == "ValueError: two lines"
    (row,) = measure(Candidate("a", lambda: Ready(fail))).rows
    assert row.error == "ValueError: two lines"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "no memory: it needs more than there is"),
        (torch.cuda.OutOfMemoryError("CUDA out of memory. Tried ..."), "no memory: it needs more than there is"),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"),
            "no memory: it needs more than there is",
        ),
        (UserError("backend x cannot run here."), "backend x cannot run here."),
        (KeyError("x"), "KeyError: 'x'"),
    ],
)
def test_sentences(error: Exception, said: str) -> None:
    assert sentence(error) == said


def test_the_same_work_has_one_floor_other_work_has_others() -> None:
    product = lambda: torch.ones(2, 5) @ torch.ones(5, 100)  # noqa: E731  2000 operations: 2 s
    counted = candidate("b", 4.0, traffic=1, countable=lambda: product)
    shared = measure(candidate("a", 8.0, traffic=4000), counted).rows
    assert [(row.floor, row.of_floor) for row in shared] == [(2.0, 4.0), (2.0, 2.0)]
    assert [row.operations for row in shared] == [None, 2000]
    apart = measure(candidate("a", 8.0, traffic=4000), counted, same=False).rows
    assert [(row.floor, row.of_floor) for row in apart] == [(None, None), (2.0, 2.0)]
    assert [row.difference for row in apart] == [None, None]
    uncounted = measure(candidate("a", 8.0, traffic=4000), same=False).rows
    assert [(row.floor, row.of_floor) for row in uncounted] == [(None, None)], "bytes alone say too little"


def test_memory_that_cannot_be_measured_leaves_the_times() -> None:
    def peak(*_: Any) -> Memory:
        raise UserError("its process ended without an answer (Killed)")

    (row,) = measure(candidate("a", 1.0), peak=peak).rows
    assert row.median == 1.0
    assert row.error == "not weighed or counted: its process ended without an answer (Killed)"
    (row,) = measure(candidate("a", 1.0), peak=lambda *_: Memory(30, 20)).rows
    assert row.memory == {"peak": 30, "work": 20}


def test_nobody_asked_for_memory() -> None:
    assert peak_of(Setting(), 1, wanted=False)("suite", "case", "a", Ready(lambda: None)) is None


def test_a_case_without_any_candidate_that_runs() -> None:
    def broken() -> Ready:
        raise MemoryError

    (row,) = measure(Candidate("a", broken)).rows
    assert row.error.startswith("no memory")
    assert row.floor is None
    assert not math.isnan(row.x or 0)
