"""What a sweep would do, as text: its rows, what sets each apart and the paper's numbers, before anything is trained.

Every line is a comment of the shell, so that what ``--dry-run`` prints, commands included, is a script.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from dsct_detrex.data.catalogue import title_of
from dsct_detrex.evaluation.formatting import MISSING, people_group
from dsct_detrex.sweep.description import Cell, Sweep
from dsct_detrex.sweep.paper_tables import QUOTED, gap_text, printed_millions
from dsct_detrex.sweep.printed import PEOPLE_GROUPS, Gap, Printed
from dsct_detrex.sweep.setting import METRIC_WORDS, Setting, metric_of
from dsct_detrex.visualization.sentences import signed

_WIDTH = 116


def overview(setting: Setting) -> str:
    """The table of a sweep with all numbers that the paper has for it, whatever the data."""
    sweep = setting.sweep
    lines = [sweep.heading, *_aligned([_headings(sweep), *_rows(sweep)])]
    for text in (*map(_printed_gap, sweep.gaps), sweep.note, setting.warning()):
        lines += wrap(text, _WIDTH)
    return "\n".join(f"# {line}".rstrip() for line in lines)


def _headings(sweep: Sweep) -> list[str]:
    return ["cell", sweep.axis, "row of", *_numbers(sweep.cells[0], sweep), "what sets it apart"]


def _rows(sweep: Sweep) -> Iterator[list[str]]:
    for cell in sweep.cells:
        words = " ".join([*([cell.base] if cell.base else []), *cell.overrides]) or MISSING
        owner = "ours" if cell.ours else "the paper"
        yield [cell.name, cell.label, owner, *_numbers(cell, sweep).values(), words]
    for quoted in sweep.quoted:
        yield [MISSING, quoted.label, QUOTED, *_numbers(quoted, sweep).values(), quoted.backbone]


def _numbers(row: Printed, sweep: Sweep) -> dict[str, str]:
    """The paper's of one row, under their headings, which are the same for every row of a sweep."""
    numbers = {}
    for kind in sweep.paper_kinds:
        name = f"paper, {title_of(kind)} {METRIC_WORDS[metric_of(kind)]}"
        if any(kind in other.paper for other in sweep.printed_rows):
            numbers[name] = _number(row.paper.get(kind))
        if any(kind in cell.paper_by_people for cell in sweep.cells):
            numbers |= {f"{name}, {_people(group)}": value for group, value in _by_people(row, kind).items()}
        if not sweep.prints_numbers(kind):
            numbers[name] = gap_text(row, sweep, kind) if isinstance(row, Cell) else MISSING
    if any(other.params_m is not None for other in sweep.printed_rows):
        numbers["paper, parameters"] = printed_millions(row.params_m)
    return numbers


def _by_people(row: Printed, kind: str) -> dict[str, str]:
    """On images with so many people; nobody quotes such numbers."""
    found = row.paper_by_people.get(kind, {}) if isinstance(row, Cell) else {}
    return {group: _number(found.get(group)) for group in PEOPLE_GROUPS}


def _people(group: str) -> str:
    return "1 person" if group == "1" else f"{people_group(group)} people"


def _number(value: float | None) -> str:
    return MISSING if value is None else f"{value:.2f}"


def _printed_gap(gap: Gap) -> str:
    points = ", ".join(f"{signed(value)} points on {title_of(kind)}" for kind, value in gap.paper.items())
    return f"Paper: {gap.about} ({gap.better} against {gap.worse}): {points}."


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns as wide as their widest cell, two blanks between them."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip() for row in rows]
