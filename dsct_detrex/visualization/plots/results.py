"""What runs reach: one bar each, and the same by the number of people in a picture."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from dsct_detrex.counting import counted
from dsct_detrex.evaluation.formatting import people_group, percent
from dsct_detrex.visualization.plots.canvas import (
    METRIC_NAMES,
    Format,
    Report,
    figure_file,
    legend_above,
    per_cent_axis,
    run_colors,
)
from dsct_detrex.visualization.style import INK, MUTED, reference_name, text_color_on


def result_bars(
    values: Mapping[str, float], references: Mapping[str, float], metric: str = "acc", file_format: Format = "svg"
) -> bytes:
    """What every run reaches, with chance and exact bounds as dashed lines.

    Args:
        values: run name -> fraction, the first on top; NaN has no bar.
        references: name -> fraction.
        metric: ``"acc"`` or ``"mAP"``, for the title.
        file_format: ``"svg"`` or ``"png"``.
    """
    lines = sorted(references.items(), key=lambda item: item[1])
    bottom = len(values) - 0.45

    def paint(figure: Any) -> None:
        axes = figure.subplots()
        for position, (color, value) in enumerate(zip(run_colors(), values.values())):
            axes.barh(position, value, height=0.56, color=color)
            fits = value > 0.15
            ink = text_color_on(color) if fits else INK
            left = 0.012 if fits or math.isnan(value) else value + 0.012
            axes.text(left, position, percent(value), va="center", color=ink, weight="bold")
        for level, (name, value) in enumerate(lines):
            top = -0.68 - 0.36 * level  # the largest on top, so that no label crosses another line
            axes.plot([value, value], [bottom, top], color=MUTED, linestyle=(0, (4, 3)), linewidth=1.2)
            place = {"x": value - 0.008, "ha": "right"} if value > 0.34 else {"x": value + 0.008, "ha": "left"}
            label = f"{reference_name(name)} {percent(value)}"
            axes.text(y=top + 0.06, s=label, va="center", color=MUTED, fontsize=9, **place)
        axes.set_yticks(range(len(values)), list(values), color=INK)
        axes.set(xlim=(0, 1), ylim=(bottom, -0.55 - 0.36 * len(lines)), xlabel=METRIC_NAMES[metric])
        axes.spines["left"].set_visible(False)
        per_cent_axis(axes.xaxis)

    return figure_file(paint, (10.0, 0.75 + 0.62 * len(values) + 0.28 * len(lines)), file_format)


def by_count_bars(reports: Mapping[str, Report], metric: str = "acc", file_format: Format = "svg") -> bytes:
    """The metric on images with 1, 2, 3, 4 and at least 5 annotated people, one bar per run.

    Args:
        reports: run name -> evaluation report.
        metric: ``"acc"`` or ``"mAP"``.
        file_format: ``"svg"`` or ``"png"``.
    """
    groups = [row for row in next(iter(reports.values()))["by_count"] if row["people"]]
    ticks = [f"{people_group(row['group'])}\n{counted(row['images'], 'image')}" for row in groups]
    width = 0.78 / len(reports)

    def paint(figure: Any) -> None:
        axes = figure.subplots()
        for run, (color, (name, report)) in enumerate(zip(run_colors(), reports.items())):
            values = [math.nan if row[metric] is None else row[metric] for row in report["by_count"] if row["people"]]
            centres = [position + (run - (len(reports) - 1) / 2) * width for position in range(len(values))]
            axes.bar(centres, values, width=0.92 * width, color=color, label=name)
            for centre, value in zip(centres, values):
                shown = "" if math.isnan(value) else f"{100 * value:.0f}"
                axes.text(centre, 0.012 + (value if shown else 0), shown, ha="center", color=INK, fontsize=9)
        axes.set_xticks(range(len(groups)), ticks)
        axes.set(ylim=(0, 1.08), ylabel=METRIC_NAMES[metric], xlim=(-0.6, max(len(groups), 3) - 0.4))
        axes.set_xlabel("annotated people per image")
        axes.spines["left"].set_visible(False)
        axes.grid(axis="y")
        per_cent_axis(axes.yaxis)
        if len(reports) > 1:
            legend_above(axes, list(reports))

    return figure_file(paint, (10.0, 3.6), file_format)
