"""A sweep as data: the cells of one table, what sets each apart, and what the paper reports for it.

A sweep is a LazyConfig file that defines ``sweep = L(Sweep)(...)``; a new table is a new file and no code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dsct_detrex.config import instantiate, load_config
from dsct_detrex.config.project import config_folder
from dsct_detrex.errors import UserError

DATASETS = {"caer_s": "CAER-S", "emotic": "EMOTIC"}
"""Kinds of emotions and the data set that the paper measures them on."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")


class Cell:
    """One row of the table.

    Args:
        name: names its folder and ``--only``: small letters, digits and ``_ . -``.
        overrides: ``key=value`` words that make the cell, as for ``scripts/train.py``.
        label: how tables and plots call it; empty: the name.
        paper: kind of emotions -> the paper's number as printed, in per cent; None where it is not known.
        base: config file that this cell starts from; empty: that of its sweep.
    """

    def __init__(
        self,
        name: str,
        overrides: Iterable[str] = (),
        label: str = "",
        paper: Mapping[str, float | None] | None = None,
        base: str = "",
    ) -> None:
        if not _NAME.fullmatch(name):
            raise UserError(f"Cell(name=) expects small letters, digits and _ . - for a folder. Got {name!r}.")
        unknown = [kind for kind in paper or {} if kind not in DATASETS]
        if unknown:
            raise UserError(f"Cell(paper=) of {name!r} expects keys of {', '.join(DATASETS)}. Got {unknown[0]!r}.")
        self.name = name
        self.overrides = tuple(overrides)
        self.label = label or name
        self.paper = {kind: value for kind, value in (paper or {}).items() if value is not None}
        self.base = base


class Sweep:
    """A table that one command fills.

    Args:
        name: names its folder.
        title: heading of the report.
        paper_table: e.g. ``"Table 10"``; where the paper's numbers stand.
        axis: what the rows are, as the heading of their column.
        cells: mappings with the arguments of ``Cell``.
        base: config file that cells start from, below the root of the repository.
        overrides: ``key=value`` words for every cell.
        metrics: kind of emotions -> the metric of the table: ``acc`` or ``mAP``.
        note: a sentence for the report, such as where the rows differ from the paper's.
        by_people: whether the table also has the metric by number of people in the image, as the paper's Table 4.
    """

    def __init__(
        self,
        name: str,
        title: str,
        paper_table: str,
        axis: str,
        cells: Sequence[Mapping[str, Any]],
        base: str = "projects/deformable_detr_dsct.py",
        overrides: Iterable[str] = (),
        metrics: Mapping[str, str] | None = None,
        note: str = "",
        by_people: bool = False,
    ) -> None:
        self.name = name
        self.title = title
        self.paper_table = paper_table
        self.axis = axis
        self.cells = tuple(Cell(**{str(key): value for key, value in cell.items()}) for cell in cells)
        self.base = base
        self.overrides = tuple(overrides)
        self.metrics = dict(metrics or {"caer_s": "acc", "emotic": "mAP"})
        self.note = note
        self.by_people = by_people
        names = [cell.name for cell in self.cells]
        twice = sorted({one for one in names if names.count(one) > 1})
        if twice or not names:
            what = f"two cells called {twice[0]!r}" if twice else "no cell"
            raise UserError(f"Sweep(cells=) of {name} expects cells with different names. Got {what}.")

    def base_of(self, cell: Cell) -> str:
        """The config file that a cell starts from, below the root of the repository."""
        return cell.base or self.base


def load_sweep(path: Path) -> Sweep:
    """Read a sweep file.

    Raises:
        UserError: it does not exist, or defines no ``sweep``.
    """
    description = load_config(path)
    if "sweep" not in description:
        raise UserError(f"{path} defines no `sweep`; expected `sweep = L(Sweep)(name=..., cells=[...], ...)`.")
    sweep = instantiate(description.sweep)
    if not isinstance(sweep, Sweep):
        raise UserError(f"{path}: `sweep` expects L(Sweep)(...). Got {type(sweep).__name__}.")
    return sweep


def table_file(table: str) -> Path:
    """The sweep file of a table or figure of the paper: ``"10"``, ``"figure_11"``.

    Raises:
        UserError: there is none; lists those that are.
    """
    folder = config_folder() / "sweeps"
    known = {path.stem: path for path in sorted(folder.glob("*_[0-9]*.py"), key=_by_number)}
    for name in (table, f"table_{table}"):
        if name in known:
            return known[name]
    names = ", ".join(name.removeprefix("table_") for name in known)
    raise UserError(f"--table expects one of {names}. Got {table!r}; any other sweep is a file for --config.")


def _by_number(path: Path) -> tuple[bool, int]:
    """Tables before figures, 5 before 10."""
    kind, _, number = path.stem.partition("_")
    return kind != "table", int(number)
