"""What was measured, as plain data: rows, cases, and the record of a suite that becomes JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SCHEMA = 1
"""Of the JSON files; a change that breaks readers counts it up."""


@dataclass(frozen=True)
class Row:
    """One candidate of a case; what is not known is None.

    Attributes:
        samples: seconds of one call, one a turn, in the order in which they were taken.
        calls: within one turn.
        median, low, high: of the samples.
        times: median of the case's first candidate over this one's: how many times faster.
        difference: largest absolute difference of its results from the first candidate's.
        operations: floating-point operations of one call.
        traffic: bytes that must move at least.
        floor: seconds below which this machine cannot do it.
        of_floor: median over floor.
        memory: ``peak`` and ``work`` in bytes, see ``memory.py``.
        per_second: images, where the case counts them.
        x: position on the axis of the case.
        error: why something is missing, in one sentence.
    """

    candidate: str
    note: str = ""
    samples: tuple[float, ...] = ()
    calls: int = 1
    median: float | None = None
    low: float | None = None
    high: float | None = None
    times: float | None = None
    difference: float | None = None
    operations: int | None = None
    traffic: int | None = None
    floor: float | None = None
    of_floor: float | None = None
    memory: Mapping[str, int] | None = None
    per_second: float | None = None
    x: float | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True)
class CaseResult:
    """A case and its rows, the reference first."""

    name: str
    rows: tuple[Row, ...]
    same: bool = True
    axis: str = ""


@dataclass(frozen=True)
class Record:
    """All of one suite.

    Attributes:
        machine: of ``info``: processor, cores, devices, versions; ``threads`` that computed.
        rates: ``operations`` a second and ``copies``, pairs of bytes and bytes a second; see ``floor.py``.
        command: as it was typed.
        date: of the start, ISO 8601 in UTC.
        stopped: somebody interrupted it, and cases are missing.
    """

    suite: str
    title: str
    command: str
    date: str
    machine: Mapping[str, Any]
    rates: Mapping[str, Any]
    cases: tuple[CaseResult, ...]
    stopped: bool = False
    schema: int = SCHEMA
