"""One case measured: built, compared, timed in turns, counted, weighed.

A candidate that fails keeps its row, which says why; the others go on.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch

from dsct_detrex.bench.contracts import Candidate, Case, Ready, Setting
from dsct_detrex.bench.floor import Rates
from dsct_detrex.bench.memory import Memory, own_peak, peak_in_child
from dsct_detrex.bench.operations import count_operations
from dsct_detrex.bench.outcomes import largest_difference
from dsct_detrex.bench.results import CaseResult, Row
from dsct_detrex.bench.timing import Clock, Times, take_turns
from dsct_detrex.errors import UserError

_SEED = 0

PeakOf = Callable[[str, str, str, Ready], Memory | None]
"""(suite, case, candidate, the candidate ready here) -> its peak memory; None where nobody asked."""


@dataclass(frozen=True)
class Means:
    """What a measurement is made with.

    Attributes:
        repeats: turns of every candidate.
        peak_of: measures memory.
    """

    clock: Clock
    rates: Rates
    repeats: int
    peak_of: PeakOf


def measure_case(suite: str, case: Case, means: Means) -> CaseResult:
    """Measure all candidates of a case."""
    errors: dict[str, str] = {}
    built = _attempt(case.candidates, lambda one: one.build(), errors)
    standing = [one for one in case.candidates if one.name in built]
    outcomes = _attempt(standing, lambda one: _outcome(built[one.name]) if case.same else None, errors)
    ready: dict[str, Ready] = {name: built[name] for name in outcomes}
    reference = next(iter(outcomes.values()), None)
    apart = {name: largest_difference(outcome, reference) for name, outcome in outcomes.items()} if case.same else {}
    del outcomes, reference
    times = take_turns({name: one.run for name, one in ready.items()}, means.clock, means.repeats) if ready else {}
    rows = []
    first: Row | None = None
    for candidate in case.candidates:
        name = candidate.name
        if name not in ready:
            rows.append(Row(name, candidate.note, x=candidate.x, error=errors[name]))
            continue
        row = _row(suite, case, candidate, ready[name], times[name], apart.get(name), means, first)
        first = first or (row if row.median else None)
        rows.append(row)
    built.clear()
    ready.clear()
    gc.collect()
    return CaseResult(case.name, _with_floor(rows, means.rates, case.same), case.same, case.axis)


def peak_of(setting: Setting, threads: int, wanted: bool) -> PeakOf:
    """How memory is measured: here on a GPU, in a fresh process on a CPU, not at all where it is not wanted."""

    def measure(suite: str, case: str, candidate: str, ready: Ready) -> Memory | None:
        if not wanted:
            return None
        if setting.device.type == "cuda":
            return own_peak(ready.run, setting.device)
        return peak_in_child(suite, case, candidate, setting, threads)

    return measure


def _attempt(candidates: Any, work: Callable[[Candidate], Any], errors: dict[str, str]) -> dict[str, Any]:
    """Candidate -> what the work gave; of those that failed the sentence goes to ``errors``."""
    done = {}
    for candidate in candidates:
        try:
            done[candidate.name] = work(candidate)
        except Exception as error:
            errors[candidate.name] = sentence(error)
    return done


def _outcome(ready: Ready) -> Any:
    """What the candidate computes; all draw the same random numbers (denoising draws its queries)."""
    with torch.random.fork_rng():
        torch.manual_seed(_SEED)
        return ready.result()


def sentence(error: Exception) -> str:
    """Why a candidate has no numbers, in one line."""
    if isinstance(error, torch.cuda.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error):
        return "no memory: it needs more than there is"
    text = " ".join(str(error).split())
    return text if isinstance(error, UserError) else f"{type(error).__name__}: {text}"[:200]


def _row(
    suite: str,
    case: Case,
    candidate: Candidate,
    ready: Ready,
    times: Times,
    apart: float | None,
    means: Means,
    first: Row | None,
) -> Row:
    problems = [sentence(times.error)] if times.error else []
    memory: Memory | None = None
    operations: int | None = None
    try:
        memory = means.peak_of(suite, case.name, candidate.name, ready)
        operations = None if ready.countable is None else count_operations(ready.countable())
    except Exception as error:
        problems.append(f"not weighed or counted: {sentence(error)}")
    median = _known(times.median)
    reference = median if first is None else first.median
    return Row(
        candidate=candidate.name,
        note=", ".join(filter(None, (candidate.note, ready.note))),
        samples=tuple(times.samples),
        calls=times.calls,
        median=median,
        low=_known(times.low),
        high=_known(times.high),
        times=reference / median if reference and median else None,
        difference=apart,
        operations=operations,
        traffic=ready.traffic or None,
        memory=None if memory is None else {"peak": memory.peak, "work": memory.work},
        per_second=case.images / median if case.images and median else None,
        x=candidate.x,
        facts=ready.facts,
        error="; ".join(problems),
    )


def _with_floor(rows: list[Row], rates: Rates, same: bool) -> tuple[Row, ...]:
    """Rows of the same work share one floor, of the row whose operations were counted; of other work each has its own.

    Where operations were not counted there is none: what the bytes alone allow can lie far below what the work needs.
    """
    counted = next((row for row in rows if row.operations is not None), None)
    done = []
    for row in rows:
        one = counted if same else row
        floor = None
        if one is not None and one.operations is not None:
            floor = rates.floor(one.operations, one.traffic or 0) or None
        done.append(replace(row, floor=floor, of_floor=row.median / floor if row.median and floor else None))
    return tuple(done)


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def as_plain(rates: Rates) -> Mapping[str, Any]:
    return {"operations": rates.operations, "copies": [list(pair) for pair in rates.copies]}
