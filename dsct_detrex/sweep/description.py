"""A sweep as data: the cells of one table, what sets each apart, and what the paper reports for it.

A sweep is a LazyConfig file that defines ``sweep = L(Sweep)(...)``; a new table is a new file and no code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dsct_detrex.config import instantiate, load_config
from dsct_detrex.data.catalogue import label_sets
from dsct_detrex.errors import UserError
from dsct_detrex.names import tables
from dsct_detrex.paths import config_folder
from dsct_detrex.sweep.printed import Gap, Printed, Quoted, by_kind, by_people

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")


class Cell(Printed):
    """One row of the table.

    Args:
        name: names its folder and ``--only``: small letters, digits and ``_ . -``.
        overrides: ``key=value`` words that make the cell, as for ``dsct train``.
        label: how tables and plots call it; empty: the name.
        paper: kind of emotions -> the paper's number as printed, in per cent; None where it is not known.
        base: config file that this cell starts from; empty: that of its sweep.
        paper_by_people: kind of emotions -> number of people in the image (``"1"`` ... ``"5plus"``) -> the paper's
            number.
        params_m: parameters as the paper prints them, in millions.
        printed_as: how the paper calls it, where the label does not.
        backbone: its networks, as the paper prints them.
        ours: whether it is a row that the paper's table does not have.
        without: keys of blocks that mean nothing to this cell, such as ``model.aggregation`` where nothing fuses; its
            commands say nothing about their sizes.

    Raises:
        UserError: a name that is no folder, an unknown kind of emotions or group of people, or a row of ours that has
            numbers of the paper.
    """

    def __init__(
        self,
        name: str,
        overrides: Iterable[str] = (),
        label: str = "",
        paper: Mapping[str, float | None] | None = None,
        base: str = "",
        paper_by_people: Mapping[str, Mapping[str, float]] | None = None,
        params_m: float | None = None,
        printed_as: str = "",
        backbone: str = "",
        ours: bool = False,
        without: Iterable[str] = (),
    ) -> None:
        if not _NAME.fullmatch(name):
            raise UserError(f"Cell(name=) expects small letters, digits and _ . - for a folder. Got {name!r}.")
        if ours and (paper or paper_by_people or params_m is not None):
            raise UserError(f"Cell(ours=True) of {name!r} expects a row without numbers of the paper. Got some.")
        super().__init__(label or name, paper, params_m, backbone, f"Cell(paper=) of {name!r}")
        self.name = name
        self.overrides = tuple(overrides)
        self.base = base
        owner = f"Cell(paper_by_people=) of {name!r}"
        groups = by_kind(paper_by_people, owner)
        self.paper_by_people = {kind: by_people(numbers, owner) for kind, numbers in groups.items()}
        self.printed_as = printed_as or self.label
        self.ours = ours
        self.without = tuple(without)

    @property
    def marked_label(self) -> str:
        """The label as tables show it: rows that the paper does not have say so."""
        return f"{self.label} (ours)" if self.ours else self.label


class Sweep:
    """A table that one command fills.

    Args:
        name: names its folder.
        title: heading of the report.
        axis: what the rows are, as the heading of their column.
        cells: mappings with the arguments of ``Cell``.
        paper_table: e.g. ``"Table 10"``, where the paper's numbers stand; empty: the paper has no such table.
        scale: how large it is trained unless the command line says (``configs/sweeps/scales.py``); empty: as the data
            and the machine allow.
        base: config file that cells start from, or the name of a project, as for ``--config``.
        overrides: ``key=value`` words for every cell.
        note: a sentence for the report, such as where the rows differ from the paper's.
        by_people: whether the table also has the metric by number of people in the image, as the paper's Table 4.
        quoted: mappings with the arguments of ``Quoted``: systems that the paper lists and nobody trains here.
        gaps: mappings with the arguments of ``Gap``: differences between rows that the paper's text names.
        efficiency: whether the report has the score over the parameters, as the paper's Figure 2.
        images: kind of emotions -> number of people -> the paper's test images with so many.

    Raises:
        UserError: no cell, two cells of one name, or a gap between cells that are not there.
    """

    def __init__(
        self,
        name: str,
        title: str,
        axis: str,
        cells: Sequence[Mapping[str, Any]],
        *,
        paper_table: str = "",
        scale: str = "",
        base: str = "projects/deformable_detr_dsct.py",
        overrides: Iterable[str] = (),
        note: str = "",
        by_people: bool = False,
        quoted: Sequence[Mapping[str, Any]] = (),
        gaps: Sequence[Mapping[str, Any]] = (),
        efficiency: bool = False,
        images: Mapping[str, Mapping[str, int]] | None = None,
    ) -> None:
        self.name = name
        self.title = title
        self.paper_table = paper_table
        self.scale = scale
        self.axis = axis
        self.cells = tuple(Cell(**{str(key): value for key, value in cell.items()}) for cell in cells)
        self.base = base
        self.overrides = tuple(overrides)
        self.note = note
        self.by_people = by_people
        self.quoted = tuple(Quoted(**{str(key): value for key, value in one.items()}) for one in quoted)
        self.gaps = tuple(Gap(**{str(key): value for key, value in one.items()}) for one in gaps)
        self.efficiency = efficiency
        self.images = {kind: dict(counts) for kind, counts in (images or {}).items()}
        names = [cell.name for cell in self.cells]
        twice = sorted({one for one in names if names.count(one) > 1})
        if twice or not names:
            what = f"two cells called {twice[0]!r}" if twice else "no cell"
            raise UserError(f"Sweep(cells=) of {name} expects cells with different names. Got {what}.")
        strangers = [one for gap in self.gaps for one in (gap.better, gap.worse) if one not in names]
        if strangers:
            raise UserError(f"Sweep(gaps=) of {name} expects names of its cells. Got {strangers[0]!r}.")

    @property
    def paper_kinds(self) -> tuple[str, ...]:
        """Kinds of emotions that the paper says something about for this table."""
        gaps = {kind for gap in self.gaps for kind in gap.paper}
        return tuple(kind for kind in label_sets() if kind in gaps or self.prints_numbers(kind))

    @property
    def printed_rows(self) -> tuple[Printed, ...]:
        """Every row: cells, then quoted systems."""
        return (*self.cells, *self.quoted)

    def prints_numbers(self, kind: str) -> bool:
        """Whether the paper prints a number for some row, and not only gaps between rows."""
        grouped = any(kind in cell.paper_by_people for cell in self.cells)
        return grouped or any(kind in row.paper for row in self.printed_rows)

    def base_of(self, cell: Cell) -> str:
        """The config file that a cell starts from, as for ``--config``."""
        return cell.base or self.base

    @property
    def heading(self) -> str:
        """Of its report."""
        return f"{self.paper_table}: {self.title}" if self.paper_table else self.title


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
    name = table.removeprefix("table_")
    if name in tables():
        return next(path for path in (folder / f"table_{name}.py", folder / f"{name}.py") if path.is_file())
    raise UserError(
        f"--table expects one of {', '.join(tables())}. Got {table!r}; any other sweep is a file for --config."
    )
