"""A process watched while it works: memory, open files, threads, processes of its own, and its pace.

It looks at itself, each time after as much work, so that all looks find it at the same point. What is judged is whether
the last third of the looks needs more than the middle third; the first is for warming up.
Source of the numbers: ``/proc`` (Linux).
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

_TICK = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


@dataclass(frozen=True)
class Sample:
    """One look.

    Attributes:
        at: seconds since the first look.
        memory: MiB of the process alone that are its own (resident, not shared with a file).
        handles, threads: of the process alone.
        processes: children and theirs.
        cpu: seconds computed so far, of the process alone.
        done: steps or pictures.
    """

    at: float
    memory: float
    handles: int
    threads: int
    processes: int
    cpu: float
    done: int


def look(pid: int, began: float, done: int) -> Sample:
    """Look at a process that has done so much."""
    here = Path(f"/proc/{pid}")
    resident, shared = (int(number) for number in (here / "statm").read_text().split()[1:3])
    after_name = (here / "stat").read_text().rpartition(")")[2].split()
    return Sample(
        at=time.monotonic() - began,
        memory=(resident - shared) * _PAGE / 2**20,
        handles=len(os.listdir(here / "fd")),
        threads=len(os.listdir(here / "task")),
        processes=descendants(pid),
        cpu=(int(after_name[11]) + int(after_name[12])) / _TICK,
        done=done,
    )


def descendants(pid: int) -> int:
    """How many processes stem from a process."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            children = Path(f"/proc/{pid}/task/{task}/children").read_text().split()
            total += len(children) + sum(descendants(int(child)) for child in children)
        except OSError:  # ended meanwhile
            continue
    return total


class Diary:
    """Looks of this process at itself, in a file.

    Args:
        every: things done from one look to the next.
        offset: how many are done at the first.
    """

    def __init__(self, path: Path, every: int, offset: int = 0) -> None:
        self._path, self._every, self._offset = path, every, offset
        self._began, self._done = time.monotonic(), 0

    def count(self) -> None:
        """One more is done."""
        self._done += 1
        if self._done % self._every == self._offset % self._every:
            one = look(os.getpid(), self._began, self._done)
            with self._path.open("a") as file:
                file.write(json.dumps(asdict(one)) + "\n")


def looks(path: Path) -> list[Sample]:
    """What a diary has so far."""
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [Sample(**json.loads(line)) for line in lines if line.endswith("\n")]


@dataclass(frozen=True)
class Growth:
    """The last third of the looks against the middle third.

    Attributes:
        memory: MiB, difference of the medians.
        slope: KiB for each thing done, by least squares over both.
        handles, threads, processes: differences of the highest.
        pace: CPU seconds for each thing done, as a ratio.
        done: in the whole time.
        highest: MiB.
    """

    memory: float
    slope: float
    handles: int
    threads: int
    processes: int
    pace: float
    done: int
    highest: float

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> Growth:
        third = len(samples) // 3
        assert third > 2, f"only {len(samples)} looks"
        middle, last = samples[third : 2 * third], samples[2 * third :]
        return cls(
            memory=median(one.memory for one in last) - median(one.memory for one in middle),
            slope=_slope([(one.done, one.memory * 1024) for one in samples[third:]]),
            handles=max(one.handles for one in last) - max(one.handles for one in middle),
            threads=max(one.threads for one in last) - max(one.threads for one in middle),
            processes=max(one.processes for one in last) - max(one.processes for one in middle),
            pace=_pace(last) / _pace(middle),
            done=samples[-1].done,
            highest=max(one.memory for one in samples),
        )

    def problems(self, memory: float, pace: float) -> list[str]:
        """What grew: memory by more than so many MiB, time by more than this factor, anything else at all."""
        found = {
            f"memory grew by {self.memory:.1f} MiB": self.memory > memory,
            f"{self.handles} more open files": self.handles > 0,
            f"{self.threads} more threads": self.threads > 0,
            f"{self.processes} more processes": self.processes > 0,
            f"each takes {self.pace:.2f} times the time": self.pace > pace,
        }
        return [sentence for sentence, true in found.items() if true]

    def __str__(self) -> str:
        return (
            f"{self.done} done, memory {self.memory:+.2f} MiB (last third against middle third; highest "
            f"{self.highest:.0f} MiB), slope {self.slope * 1024:+.0f} bytes each, files {self.handles:+d}, threads "
            f"{self.threads:+d}, processes {self.processes:+d}, time for each x {self.pace:.3f}"
        )


def _slope(points: Sequence[tuple[float, float]]) -> float:
    """Of the line of least squares."""
    mean_x, mean_y = (sum(values) / len(points) for values in zip(*points))
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0


def _pace(samples: Sequence[Sample]) -> float:
    done = samples[-1].done - samples[0].done
    assert done > 0, "nothing was done"
    return (samples[-1].cpu - samples[0].cpu) / done
