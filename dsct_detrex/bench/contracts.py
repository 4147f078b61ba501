"""What a suite hands over: cases, each with candidates that do the same work, the first being the reference."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch

from dsct_detrex.bench.rivals import Rival


@dataclass(frozen=True)
class Size:
    """Of a picture, in pixels."""

    height: int
    width: int

    def __str__(self) -> str:
        return f"{self.height}x{self.width}"


@dataclass(frozen=True)
class Setting:
    """What the user asked for.

    Attributes:
        sizes: of pictures; None: those that a suite is usually measured at.
        hosts: names of hosts; None: those of the suite.
        quick: small pictures, few hosts and points, for a run of a minute or two.
        rivals: other people's code to put beside ours.
        asked: flags that a suite has asked for, so that one without effect can be told.
    """

    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    sizes: tuple[Size, ...] | None = None
    hosts: tuple[str, ...] | None = None
    quick: bool = False
    rivals: tuple[Rival, ...] = ()
    asked: set[str] = field(default_factory=set, compare=False)

    def sizes_or(self, *usual: Size) -> tuple[Size, ...]:
        """The sizes asked for, else the usual ones, or in a quick run a small one."""
        self.asked.add("--sizes")
        return self.sizes or ((TINY,) if self.quick else usual)

    def hosts_or(self, usual: Sequence[str], quick: Sequence[str]) -> tuple[str, ...]:
        """Likewise of hosts."""
        self.asked.add("--hosts")
        return self.hosts or tuple(quick if self.quick else usual)

    def useless(self) -> list[str]:
        """Flags that were given and never asked for."""
        given = {"--hosts": self.hosts, "--sizes": self.sizes}
        return [flag for flag, value in given.items() if value is not None and flag not in self.asked]

    def rival(self, kind: str) -> Rival | None:
        """The rival of a kind, if there is one."""
        return next((rival for rival in self.rivals if rival.kind == kind), None)


SMALL, LARGE = Size(480, 640), Size(800, 1066)
"""The sizes at which the project's goals are stated."""

TINY = Size(240, 320)
"""The size of a quick run."""


@dataclass(frozen=True)
class Ready:
    """A candidate that is built and waits.

    Attributes:
        run: what is timed.
        outcome: what it computes, to be compared with the reference's; None: what ``run`` returns.
        traffic: bytes that any way of doing it must move at least: weights, inputs and results once each; 0: unknown.
        countable: makes the same call in a form whose operations ``operations.py`` can count (plain modules, torch's
            operators); None: they are not counted.
        facts: what else is worth telling, e.g. ``parameters``.
        note: what only building it could tell.
    """

    run: Callable[[], Any]
    outcome: Callable[[], Any] | None = None
    traffic: int = 0
    countable: Callable[[], Callable[[], Any]] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""

    def result(self) -> Any:
        return (self.outcome or self.run)()


@dataclass(frozen=True)
class Candidate:
    """One way to do the work.

    Attributes:
        build: makes it; everything slow happens here, so that naming a candidate costs nothing.
        note: what a reader must know about it.
        x: position on the axis of a case that grows; None elsewhere.
    """

    name: str
    build: Callable[[], Ready]
    note: str = ""
    x: float | None = None


@dataclass(frozen=True)
class Case:
    """The same work, done by every candidate.

    Attributes:
        name: unique in its suite.
        images: of one call, where a rate makes sense; else 0.
        same: whether all compute the same numbers, so that results are compared and share one floor.
        axis: what ``Candidate.x`` counts; empty where there is none.
    """

    name: str
    candidates: Sequence[Candidate]
    images: int = 0
    same: bool = True
    axis: str = ""


class Suite(Protocol):
    """A module of ``bench/suites``; the first line of its docstring says what it measures."""

    __doc__: str | None
    __name__: str

    def cases(self, setting: Setting) -> Iterator[Case]:
        """The cases, one after the other; nothing is built yet."""
