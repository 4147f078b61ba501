"""Run work in a forked process that a signal strikes just before its n-th change of the disk, or half-way through one.

Every opening for writing, renaming, linking, removing and making of a folder below one folder counts, and the end of
every file of tensors, which is written by C++ or Rust; SIGKILL strikes the latter half-written. So a killed process is
seen in each state that it can leave, not only in those that a clock happens to hit.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from dsct_detrex.weights import writing

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = ("os.rename", "os.remove", "os.link", "os.mkdir", "os.rmdir", "os.truncate", "os.symlink")
NEVER = 1 << 30


@dataclass(frozen=True)
class Ended:
    """How the work ended.

    Attributes:
        status: exit status; negative where a signal ended the process.
        said: stdout and stderr.
        errors: stderr alone.
        changes: "what path" of each change, where it came to its own end.
    """

    status: int
    said: str
    errors: str
    changes: list[str] = field(default_factory=list)


def strike(work: Callable[[], int], folder: Path, at: int = NEVER, number: int = signal.SIGKILL) -> Ended:
    """Do ``work``, whose changes below ``folder`` count from 0, in a process of its own.

    Args:
        at: the change before which the signal strikes; ``NEVER`` counts only.
    """
    with tempfile.TemporaryDirectory() as outside:
        return _struck(work, folder, at, number, [Path(outside, kind) for kind in ("stdout", "stderr", "changes")])


def _struck(work: Callable[[], int], folder: Path, at: int, number: int, logs: list[Path]) -> Ended:

    def child() -> None:
        for stream, log in zip((1, 2), logs):
            os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), stream)
        sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", closefd=False)
        signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background of a shell ignore it
        watch = _Watch(folder, at, number)
        status = 1
        try:
            status = work()
        except SystemExit as end:
            status = int(end.code or 0)
        except BaseException:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        watch.at = NEVER
        logs[2].write_text("\n".join(watch.changes))
        os._exit(status)

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join()
    said, errors = (log.read_text() for log in logs[:2])
    changes = logs[2].read_text().splitlines() if logs[2].exists() else []
    assert process.exitcode is not None
    return Ended(process.exitcode, said + errors, errors, changes)


class _Watch:
    """Counts; to be made in a process that ends soon, for an audit hook cannot be taken away."""

    def __init__(self, folder: Path, at: int, number: int) -> None:
        self.folder, self.at, self.number = str(folder.absolute()), at, number
        self.changes: list[str] = []
        sys.addaudithook(self._heard)
        torch.save = self._torn(torch.save, 1)  # type: ignore[assignment]
        writing.save_file = self._torn(writing.save_file, 1)

    def _heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            if not (any(letter in mode for letter in "wxa+") if mode else flags & WRITES):
                return
        elif event in CHANGES:
            path = arguments[1 if event == "os.rename" else 0]
        else:
            return
        if not isinstance(path, int):
            self._count(event, path)

    def _count(self, event: str, path: Any, half: bool = False) -> None:
        place = os.path.abspath(os.fsdecode(path))
        if not place.startswith(self.folder + os.sep):
            return
        self.changes.append(f"{event} {place[len(self.folder) + 1 :]}")
        if len(self.changes) == self.at + 1:
            if half and self.number == signal.SIGKILL:
                os.truncate(place, os.path.getsize(place) // 2)
            os.kill(os.getpid(), self.number)

    def _torn(self, save: Callable[..., Any], argument: int) -> Callable[..., Any]:
        def saved(*given: Any, **settings: Any) -> Any:
            result = save(*given, **settings)
            if isinstance(given[argument], (str, os.PathLike)):
                self._count("half", given[argument], half=True)
            return result

        return saved


def spread(total: int, count: int) -> list[int]:
    """``count`` numbers below ``total``, evenly; all of them where there are not more."""
    return sorted({round((i + 0.5) * total / count - 0.5) for i in range(count)}) if count < total else [*range(total)]
