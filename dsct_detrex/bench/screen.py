"""A case as lines of a terminal of 80 columns; a column of which nothing is known is left out."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping

from dsct_detrex.bench import words
from dsct_detrex.bench.results import CaseResult, Row

_WIDTH = 80
_COLUMNS: Mapping[str, Callable[[Row], str]] = {
    "median": lambda row: words.seconds(row.median),
    "range": words.spread,
    "faster": lambda row: words.times(row.times),
    "floor": lambda row: words.of_floor(row.of_floor),
    "differs": lambda row: words.apart(row.difference),
    "memory": lambda row: words.mebibytes(row.memory["work"] if row.memory else None),
    "images": lambda row: words.rate(row.per_second),
    "waits": lambda row: words.share(row.facts.get("waits")),
}
"""The most important first: where they do not fit the width, the last ones are left to the page."""


def case_lines(result: CaseResult) -> Iterator[str]:
    """Name of the case, one line a candidate, and below it what must be said of it."""
    yield f"{result.name}{_counted(result)}"
    columns = {head: [cell(row) for row in result.rows] for head, cell in _COLUMNS.items()}
    columns = {head: cells for head, cells in columns.items() if any(cells)}
    name = max(len(row.candidate) for row in result.rows)
    widths = {head: max(len(head), *map(len, cells)) for head, cells in columns.items()}
    while columns and 2 + name + sum(2 + widths[head] for head in columns) > _WIDTH:
        columns.popitem()
    yield _line("", {head: head for head in columns}, name, widths)
    for place, row in enumerate(result.rows):
        yield _line(row.candidate, {head: cells[place] for head, cells in columns.items()}, name, widths)
        for said in filter(None, (row.note, row.error)):
            yield from textwrap.wrap(said, _WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 4)


def _counted(result: CaseResult) -> str:
    """What one call does, where all do the same."""
    counted = [row for row in result.rows if row.operations]
    if not (result.same and counted):
        return ""
    floor = words.seconds(counted[0].floor)
    return f" ({words.operations(counted[0].operations)}, floor {floor})"


def _line(name: str, cells: Mapping[str, str], width: int, widths: Mapping[str, int]) -> str:
    aligned = "".join(f"  {cell:>{widths[head]}}" for head, cell in cells.items())
    return f"  {name:<{width}}{aligned}".rstrip()
