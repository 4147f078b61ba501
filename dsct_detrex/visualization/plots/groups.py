"""A score by what the data set says of people, gender or age: a dot for each group, a line for what chance allows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dsct_detrex.counting import counted
from dsct_detrex.evaluation.formatting import percent
from dsct_detrex.visualization.plots.canvas import (
    METRIC_NAMES,
    Format,
    Report,
    figure_file,
    legend_above,
    per_cent_axis,
    run_colors,
)
from dsct_detrex.visualization.style import INK, MUTED

_GAP = 0.9  # above the first group of an attribute, in rows, for its name


def group_intervals(reports: Mapping[str, Report], metric: str = "acc", file_format: Format = "svg") -> bytes:
    """The metric of every group with its 95 % interval, one dot per run, a ring where there is none; dashed: everybody.

    Args:
        reports: run name -> evaluation report, all of one split, with ``groups``.
        metric: ``"acc"`` or ``"mAP"``.
        file_format: ``"svg"`` or ``"png"``.
    """
    tables = next(iter(reports.values()))["groups"]
    rows = [(number, row) for number, table in enumerate(tables) for row in table["rows"]]
    heights = [place + _GAP * (number + 1) for place, (number, _) in enumerate(rows)]
    ticks = [f"{row['group']} ({counted(row['people'], 'person')})" for _, row in rows]
    step = 0.7 / len(reports)

    def paint(figure: Any) -> None:
        axes = figure.subplots()
        for run, (color, (name, report)) in enumerate(zip(run_colors(), reports.items())):
            overall = report["metrics"][metric]
            if overall is not None:
                axes.axvline(overall, color=color, linestyle=(0, (4, 3)), linewidth=1.2, alpha=0.7)
            measured = [row for table in report["groups"] for row in table["rows"]]
            shift = (run - (len(reports) - 1) / 2) * step
            axes.plot([], [], "o", color=color, label=name)
            for height, row in zip(heights, measured):
                if row[metric] is None:
                    continue
                ends = [end for end in row[f"{metric}_interval"] or () if end is not None]
                if ends:
                    axes.plot(ends, [height + shift] * 2, color=color, linewidth=2.4, solid_capstyle="round")
                face = color if ends else "none"
                axes.plot(row[metric], height + shift, "o", color=color, markersize=8, markerfacecolor=face)
                if len(reports) == 1:
                    end = max([row[metric], *ends])
                    axes.text(end + 0.015, height, percent(row[metric]), va="center", color=MUTED, fontsize=9)
        axes.set_yticks(heights, ticks, color=INK)
        axes.set(xlim=(0, 1.08), ylim=(heights[-1] + 0.6, -0.2), xlabel=METRIC_NAMES[metric])
        for number, table in enumerate(tables):
            top = next(height for height, (which, _) in zip(heights, rows) if which == number)
            place = {"transform": axes.get_yaxis_transform(), "ha": "right", "va": "center"}
            axes.text(-0.008, top - 0.85, table["attribute"].capitalize(), color=INK, weight="bold", **place)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x")
        per_cent_axis(axes.xaxis)
        if len(reports) > 1:
            legend_above(axes, list(reports))

    return figure_file(paint, (10.0, 0.9 + 0.36 * (heights[-1] + 0.8)), file_format)
