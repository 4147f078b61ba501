"""Emotion by emotion: one bar each, and precision over recall."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from dsct_detrex.evaluation.formatting import percent, whole
from dsct_detrex.visualization.plots.canvas import (
    Format,
    Report,
    figure_file,
    legend_above,
    per_cent_axis,
    run_colors,
)
from dsct_detrex.visualization.style import INK, MUTED, RUN_COLORS

_NAMED_CURVES = 10


def emotion_bars(
    values: Mapping[str, Sequence[float | None]],
    labels: Sequence[tuple[str, int]],
    name: str,
    file_format: Format = "svg",
) -> bytes:
    """A value of every emotion; the first run as bars, the others as dots. None has neither.

    Args:
        values: run name -> fraction of each emotion.
        labels: each emotion and the number of people who show it.
        name: of the values, for the axis.
        file_format: ``"svg"`` or ``"png"``.
    """
    written = [f"{label} ({whole(people)})" for label, people in labels]
    first, *others = [(run, [math.nan if one is None else one for one in row]) for run, row in values.items()]

    def paint(figure: Any) -> None:
        axes = figure.subplots()
        colors = run_colors()
        positions = range(len(written))
        axes.barh(positions, first[1], height=0.62, color=next(colors), label=first[0])
        for color, (run, row) in zip(colors, others):
            axes.plot(row, positions, "o", color=color, markersize=7, label=run)
        if not others:
            for position, value in enumerate(first[1]):
                if not math.isnan(value):
                    axes.text(value + 0.012, position, percent(value, 0), va="center", color=MUTED, fontsize=8.5)
        axes.set_yticks(positions, written, color=INK)
        axes.set(xlim=(0, 1.08), ylim=(len(written) - 0.5, -0.5), xlabel=f"{name} (number of people in brackets)")
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x")
        per_cent_axis(axes.xaxis)
        if others:
            legend_above(axes, list(values))

    return figure_file(paint, (5.3, 1.1 + (0.4 if len(written) < 12 else 0.36) * len(written)), file_format)


def precision_recall(report: Report, file_format: Format = "svg") -> bytes:
    """Precision over recall: each emotion thin, their mean bold.

    Args:
        report: an evaluation report with ``pr_curves`` and ``pr_mean``.
        file_format: ``"svg"`` or ``"png"``.
    """
    curves = report["pr_curves"]
    named = len(curves) <= _NAMED_CURVES
    mean = report["pr_mean"]

    def paint(figure: Any) -> None:
        axes = figure.subplots()
        for number, curve in enumerate(curves):
            color = RUN_COLORS[1 + number % (len(RUN_COLORS) - 1)] if named else MUTED
            style = "-" if number < len(RUN_COLORS) - 1 or not named else (0, (4, 2))
            label = curve["label"] if named else "every emotion" if number == 0 else None
            look = {"linewidth": 1.1 if named else 0.7, "alpha": 0.9 if named else 0.5, "linestyle": style}
            axes.plot(curve["recall"], curve["precision"], color=color, label=label, drawstyle="steps-pre", **look)
        axes.plot(
            mean["recall"], mean["precision"], color=RUN_COLORS[0], linewidth=3.2, label="mean", drawstyle="steps-pre"
        )
        axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="recall", ylabel="precision")
        axes.grid(True)
        per_cent_axis(axes.xaxis)
        per_cent_axis(axes.yaxis)
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), handlelength=1.6)

    return figure_file(paint, (10.0, 4.4), file_format)
