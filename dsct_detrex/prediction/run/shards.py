"""One collection worked on by several processes: who takes what, whose rows lie where, and whether all are done.

Unit i of an n-way split is worked on by shard ``i mod n + 1``: every process lists the same units and needs no other.
Its rows go to ``predictions.shard-<number>-of-<n>.part.json``, each with the number of its unit under ``unit``; without
``.part`` the shard is done. An interrupted split may go on with another n: what has a row anywhere is not done again.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dsct_detrex.cli.running import under_torchrun
from dsct_detrex.errors import UserError
from dsct_detrex.prediction.rows import ROWS_NAME, Done, read_rows

_NAME = re.compile(r"predictions\.shard-\d+-of-\d+(\.part)?\.json")
_LOCK = ".dsct_merging"


@dataclass(frozen=True)
class Shard:
    """One of several processes.

    Attributes:
        number: from 1.
        of: how many there are.
    """

    number: int
    of: int

    def takes(self, unit: int) -> bool:
        """Whether it works on a unit, counted from 0."""
        return unit % self.of == self.number - 1

    @property
    def part(self) -> str:
        """Name of its rows while it works."""
        return f"predictions.shard-{self.number}-of-{self.of}.part.json"

    @property
    def name(self) -> str:
        """The same when it is done."""
        return f"predictions.shard-{self.number}-of-{self.of}.json"

    def begin(self, folder: Path, resume: bool) -> Done:
        """Look at what the folder holds and change nothing; returns what is done, by whatever shard.

        Raises:
            UserError: there are results of an earlier run, and nobody asked to go on with them.
        """
        mine = [path for path in (folder / self.part, folder / self.name, folder / ROWS_NAME) if path.exists()]
        if mine and not resume:
            raise UserError(
                f"predict: {mine[0]} is there already. Add --resume to go on, or give another --out to begin anew."
            )
        return done_in([*rows_files(folder), folder / ROWS_NAME])

    def reopen(self, folder: Path) -> None:
        """Say that this shard works again, if it was done."""
        if (folder / self.name).exists():
            os.replace(folder / self.name, folder / self.part)

    def end(self, folder: Path) -> bool:
        """Say that this shard is done; returns whether all are."""
        os.replace(folder / self.part, folder / self.name)
        return all((folder / Shard(number, self.of).name).exists() for number in range(1, self.of + 1))


def chosen_shard(asked: tuple[int, int] | None) -> Shard | None:
    """The shard of ``--shard``, or of this process among those of torchrun; None where nothing is split.

    Raises:
        UserError: both.
    """
    if under_torchrun() and int(os.environ["WORLD_SIZE"]) > 1:
        if asked:
            raise UserError("predict: --shard is what torchrun says already; leave one of them out.")
        return Shard(int(os.environ["RANK"]) + 1, int(os.environ["WORLD_SIZE"]))
    return Shard(*asked) if asked else None


def rows_files(folder: Path) -> list[Path]:
    """The rows of all shards, done or not."""
    return sorted(path for path in folder.glob("predictions.shard-*.json") if _NAME.fullmatch(path.name))


def done_in(files: list[Path]) -> Done:
    """What has its row in files of rows."""
    done = Done()
    for path in files:
        for row in read_rows(path) if path.exists() else ():
            done.add(row)
    return done


@contextmanager
def merging_alone(folder: Path) -> Iterator[bool]:
    """Whether this process is the one that merges: of several that finish together, the first.

    It holds a lock for that, which ends with it however it ends: after a kill the next one merges.
    """
    lock = folder / _LOCK
    with lock.open("ab") as file:
        if not _locked(file):
            yield False
            return
        try:
            yield bool(rows_files(folder))  # none where somebody has merged them between the last look and now
        finally:
            lock.unlink(missing_ok=True)


def _locked(file: IO[bytes]) -> bool:
    """Whether this process has the lock now; where files cannot be locked, trust."""
    try:
        import fcntl
    except ImportError:  # not on Windows
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
