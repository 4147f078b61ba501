"""A reliability diagram: what was said beside what happened, before and after a calibration, and emotion by emotion."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from dsct_detrex.evaluation.formatting import percent, whole
from dsct_detrex.visualization.plots.canvas import Format, figure_file, legend_above, per_cent_axis
from dsct_detrex.visualization.style import INK, MUTED, RUN_COLORS

_COLORS = (RUN_COLORS[1], RUN_COLORS[0])  # before, after
_MARKS = ("s", "o")
_SMALLEST, _LARGEST = 14.0, 190.0  # of a mark, in square points


def reliability_diagram(measured: Mapping[str, Mapping[str, Any]], multi_label: bool, file_format: Format) -> bytes:
    """Left: share that happened over probability, marks as large as their bins are full; on the diagonal both are one.
    Below it how often which probability was given. Right: the ECE of each emotion.

    Args:
        measured: two names, such as before and after, -> what ``evaluation.reliability`` returns.
        multi_label: whether a bin holds pairs of person and emotion, or people with their most probable emotion.
        file_format: ``"svg"`` or ``"png"``.
    """
    names = {name: f"{name}: ECE {percent(one['ECE'])}" for name, one in measured.items()}
    labels = [f"{row['label']} ({whole(row['people'])})" for row in next(iter(measured.values()))["per_emotion"]]
    tall = max(4.6, 1.4 + 0.24 * len(labels))

    def paint(figure: Any) -> None:
        grid = figure.add_gridspec(2, 2, height_ratios=(4, 1), width_ratios=(5, 4))
        curve = figure.add_subplot(grid[0, 0])
        counts = figure.add_subplot(grid[1, 0], sharex=curve)
        emotions = figure.add_subplot(grid[:, 1])
        _curves(curve, measured, names)
        _counts(counts, measured, multi_label)
        _emotions(emotions, measured, labels)

    return figure_file(paint, (10.0, tall), file_format)


def _curves(axes: Any, measured: Mapping[str, Mapping[str, Any]], names: Mapping[str, str]) -> None:
    axes.plot([0, 1], [0, 1], color=MUTED, linestyle=(0, (4, 3)), linewidth=1.2)
    axes.text(0.02, 0.97, "too modest", va="top", color=MUTED, fontsize=9)
    axes.text(0.98, 0.03, "too sure", ha="right", color=MUTED, fontsize=9)
    fullest = max((one["count"] for some in measured.values() for one in some["bins"]), default=1)
    for color, mark, (name, one) in zip(_COLORS, _MARKS, measured.items()):
        said, seen = ([found[key] for found in one["bins"]] for key in ("predicted", "observed"))
        sizes = [max(_SMALLEST, _LARGEST * math.sqrt(found["count"] / fullest)) for found in one["bins"]]
        axes.plot(said, seen, color=color, linewidth=1.6, alpha=0.8)
        axes.scatter(said, seen, s=sizes, color=color, marker=mark, alpha=0.85, linewidths=0, zorder=3)
        axes.plot([], [], mark, color=color, label=names[name])
    axes.set(xlim=(0, 1), ylim=(0, 1.03), ylabel="share that shows it")
    axes.tick_params(labelbottom=False)
    axes.grid(True)
    per_cent_axis(axes.xaxis)
    per_cent_axis(axes.yaxis)
    legend_above(axes, list(names.values()))


def _counts(axes: Any, measured: Mapping[str, Mapping[str, Any]], multi_label: bool) -> None:
    """Side by side in every bin, on a logarithmic axis: rare probabilities stay visible."""
    for side, (color, one) in enumerate(zip(_COLORS, measured.values())):
        width = [(found["high"] - found["low"]) * 0.42 for found in one["bins"]]
        left = [(found["low"] + found["high"]) / 2 - (1 - side) * w for found, w in zip(one["bins"], width)]
        axes.bar(left, [found["count"] for found in one["bins"]], width=width, align="edge", color=color)
    axes.set_yscale("log")
    axes.set(xlabel="probability said", ylabel="pairs" if multi_label else "people")
    axes.yaxis.set_major_formatter(lambda value, _: whole(value))
    axes.minorticks_off()
    per_cent_axis(axes.xaxis)


def _emotions(axes: Any, measured: Mapping[str, Mapping[str, Any]], labels: list[str]) -> None:
    """A line from the first value of an emotion to the second; an emotion without any has none."""
    values = [
        [math.nan if row["ECE"] is None else row["ECE"] for row in one["per_emotion"]] for one in measured.values()
    ]
    positions = range(len(labels))
    for position, (first, second) in enumerate(zip(*values)):
        axes.plot([first, second], [position, position], color=MUTED, linewidth=1.2, alpha=0.6)
    for color, mark, row in zip(_COLORS, _MARKS, values):
        axes.plot(row, positions, mark, color=color, markersize=7)
    axes.set_yticks(positions, labels, color=INK)
    most = max((value for row in values for value in row if not math.isnan(value)), default=0.0)
    axes.set(xlim=(0, max(0.05, 1.12 * most)), ylim=(len(labels) - 0.5, -0.5))
    axes.set_xlabel("ECE of each emotion (people who show it)")
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    axes.xaxis.set_major_formatter(lambda value, _: percent(value, digits=0 if most > 0.08 else 1))
