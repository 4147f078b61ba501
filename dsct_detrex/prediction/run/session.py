"""One run of ``dsct predict`` in its folder: what is worked on, where it goes, and what of it is there already."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dsct_detrex.cli.predict import PICTURES, VIDEO
from dsct_detrex.errors import UserError
from dsct_detrex.prediction.pictures import Found
from dsct_detrex.prediction.predictor import Predictor
from dsct_detrex.prediction.results import Results
from dsct_detrex.prediction.rows import ROWS_NAME, Done, Rows, read_rows
from dsct_detrex.prediction.run.facts import facts_of
from dsct_detrex.prediction.run.shards import Shard, rows_files
from dsct_detrex.prediction.run.tables import Tables
from dsct_detrex.prediction.sources.contract import Clip, Unit
from dsct_detrex.prediction.sources.discovery import Named


@dataclass
class Session:
    """The places of a run; nothing is written before ``open``.

    Args:
        arguments: of the command line.
        named: what is worked on.
        shard: which part of it; None: all.

    Attributes:
        done: what has its rows already, whoever worked on it.

    Raises:
        UserError: something of the user's is in the way, or nobody asked to go on with what is there.
    """

    arguments: argparse.Namespace
    named: Named
    shard: Shard | None
    done: Done = field(default_factory=Done)

    def __post_init__(self) -> None:
        formats = () if self.arguments.no_pictures else self.arguments.format
        self.folder = Path(self.arguments.out)
        self.results = Results(
            self.folder, self.named.known, lambda unit: (VIDEO if isinstance(unit, Clip) else PICTURES) in formats
        )
        self.resumes = bool(self.arguments.resume or self.shard)
        self.tables = Tables(self.folder, self.arguments.format, self.resumes, self.arguments.overwrite)
        self._check_parts()
        if self.shard is not None:
            self.results.mark = f"-{self.shard.number}"
            self.done = self.shard.begin(self.folder, self.arguments.resume)

    def open(self, predictor: Predictor) -> Rows:
        """Make the folder and begin, or go on."""
        self.results.open()
        arguments = self.arguments
        split = None if self.shard is None else [str(unit.path) for unit in self.named.known]
        facts = facts_of(predictor, arguments.stride, split)
        if self.resumes and self._has_rows():
            facts.check_same(self.folder)
        if self.shard is not None:
            self.shard.reopen(self.folder)
        rows = Rows(self.folder, self.shard.part if self.shard else ROWS_NAME, resume=self.resumes)
        facts.write(self.folder)
        if self.shard is None:
            self.done = rows.done
        if self.shard is None:
            self.tables.open(predictor.emotions, read_rows(rows.path))
        return rows

    def _has_rows(self) -> bool:
        """Whether there are rows to go on with; a run that died before its first has left a file without any."""
        files = [self.folder / ROWS_NAME, *rows_files(self.folder)]
        return any(next(read_rows(path), None) is not None for path in files if path.exists())

    def units(self) -> Iterator[tuple[int, Unit]]:
        """What is left to do of this run's part, each with its number among all."""
        return ((number, unit) for number, unit in enumerate(self._all()) if self._is_ours(number, unit))

    def count(self) -> int | None:
        """How many these are; None where units come while the program runs."""
        if self.named.is_live:
            return None
        return sum(self._is_ours(number, unit) for number, unit in enumerate(self.named.known))

    def before(self) -> Done:
        """What of this run's part was done before; undivided, all that the folder has rows of."""
        if self.shard is None:
            return self.done
        ours = {str(unit.path) for number, unit in enumerate(self.named.known) if self._takes(number)}
        problems = {name: problem for name, problem in self.done.problems.items() if name in ours}
        return Done(problems, self.done.frames)

    def row(self, number: int, row: dict[str, Any]) -> dict[str, Any]:
        """A row as it is written: with the number of its unit where it is part of a whole."""
        return row if self.shard is None else {**row, "unit": number}

    def _all(self) -> Iterator[Unit]:
        yield from self.named.known
        yield from self.named.live

    def _is_ours(self, number: int, unit: Found) -> bool:
        return str(unit.path) not in self.done.problems and self._takes(number)

    def _takes(self, number: int) -> bool:
        return self.shard is None or self.shard.takes(number)

    def _check_parts(self) -> None:
        if self.shard is not None and self.named.is_live:
            raise UserError(
                "predict: what comes on standard input or from a camera cannot be split among processes; give a list, "
                "a folder or files."
            )
        if self.shard is None and rows_files(self.folder):
            raise UserError(
                f"predict: {self.folder} holds shards of a run that was split. Go on with it as it was started, with "
                f"--resume, or put what is there together: predict --merge {self.folder}"
            )
