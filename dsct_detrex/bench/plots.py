"""How time grows: one picture a case with an axis, both axes from zero, beside the line that would be linear."""

from __future__ import annotations

from typing import Any

from dsct_detrex.bench.results import CaseResult, Record, Row
from dsct_detrex.visualization.plots import figure_file
from dsct_detrex.visualization.style import MUTED, RUN_COLORS


def growth_pictures(record: Record) -> dict[str, tuple[str, bytes]]:
    """File name -> title and PNG, for every axis on which a suite of growth moves."""
    by_axis: dict[str, list[CaseResult]] = {}
    for case in record.cases:
        if case.axis and sum(row.median is not None for row in case.rows) > 1:
            by_axis.setdefault(case.axis, []).append(case)
    return {
        f"{record.suite}_{axis.split()[0].strip(',')}.png": (_title(axis), _picture(axis, cases))
        for axis, cases in by_axis.items()
    }


def _title(axis: str) -> str:
    return f"Time against {axis}"


def _picture(axis: str, cases: list[CaseResult]) -> bytes:
    def paint(figure: Any) -> None:
        axes = figure.subplots()
        for case, color in zip(cases, RUN_COLORS):
            rows = [row for row in case.rows if row.x is not None and row.median]
            _line(axes, case.name.removesuffix(f", {axis}"), sorted(rows, key=lambda row: row.x or 0.0), color)
        if any(line.get_linestyle() == "--" for line in axes.lines):
            axes.plot([], [], color=MUTED, linewidth=1, linestyle="--", label="in proportion to its first point")
        highest = max(row.high or 0.0 for case in cases for row in case.rows)
        axes.set_title(_title(axis))
        axes.set(xlabel=axis, ylabel="time, milliseconds")
        axes.set_xlim(left=0)
        axes.set_ylim(0, 1.15e3 * highest)
        axes.grid(True)
        axes.legend(loc="upper left", bbox_to_anchor=(0, -0.14), ncols=1)

    return figure_file(paint, (7.0, 4.8), "png")


def _line(axes: Any, name: str, rows: list[Row], color: str) -> None:
    """Medians with their range, and the straight line from zero through the first point: growth in proportion."""
    xs = [row.x for row in rows]
    medians = [1e3 * (row.median or 0) for row in rows]
    axes.plot(xs, medians, marker="o", color=color, label=name)
    axes.fill_between(
        xs, [1e3 * (r.low or 0) for r in rows], [1e3 * (r.high or 0) for r in rows], color=color, alpha=0.2
    )
    first, last = rows[0], rows[-1]
    if first.x and last.x:
        end = medians[0] * last.x / first.x
        axes.plot([0, last.x], [0, end], color=color, linewidth=1, linestyle="--", zorder=0)
