"""The plot of a sweep: what every cell reaches, its spread over seeds, and the paper's number.

Where the paper's numbers were measured on the same data they share the axis; elsewhere they get one of their own, if
there are several.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from dsct_detrex.evaluation.formatting import people_group, percent
from dsct_detrex.sweep.description import DATASETS
from dsct_detrex.sweep.results import Row
from dsct_detrex.sweep.setting import Setting
from dsct_detrex.sweep.table import people_groups, references, with_spread
from dsct_detrex.visualization.plots import METRIC_NAMES, Format, figure_file
from dsct_detrex.visualization.style import GRID, INK, MUTED, RUN_COLORS, reference_name

_MEASURED, _PAPER = RUN_COLORS[0], RUN_COLORS[1]
_COLUMN = 1.22  # where the numbers in words end, right of 100 %
_LABEL_GAP = 0.36  # between the labels of reference lines, in rows


def plot_sweep(rows: Sequence[Row], setting: Setting, file_format: Format = "png") -> bytes:
    """Draw the sweep, in the order of the table.

    Args:
        file_format: ``"svg"`` or ``"png"``.

    Raises:
        PlotsMissingError: matplotlib is not installed.
    """
    numbers = [_paper(row, setting) for row in rows]
    apart = not setting.comparable and shows_paper(rows, setting)
    bounds = sorted(references(rows, setting).items(), key=lambda item: item[1])

    def paint(figure: Any) -> None:
        panels = figure.subplots(1, 2, width_ratios=[2.3, 1], sharey=True) if apart else [figure.subplots()]
        _rows(panels[0], rows, setting)
        _bounds(panels[0], bounds, len(rows))
        _finish(panels[0], 0.0, 1.0, _COLUMN, f"{METRIC_NAMES[setting.metric]}, measured on {setting.data} data")
        if apart:
            low, high = _in_words(panels[1], numbers)
            _finish(panels[1], low, high, low + 1.45 * (high - low), f"the paper's, on {DATASETS[setting.emotions]}")
        if shows_paper(rows, setting):
            _diamonds(panels[-1], numbers)
        panels[0].set_yticks(range(len(rows)), [row.cell.label for row in rows], color=INK)
        panels[0].set_ylabel(setting.sweep.axis)
        panels[0].set_ylim(len(rows) - 0.5, -0.5 - _LABEL_GAP * len(bounds))

    height = 1.0 + 0.42 * len(rows) + 0.2 * len(bounds)
    return figure_file(paint, (10.0, height), file_format)


def plot_by_people(rows: Sequence[Row], setting: Setting, file_format: Format = "png") -> bytes:
    """Draw the metric over the number of people in the image, one line for each measured cell.

    Raises:
        PlotsMissingError: matplotlib is not installed.
    """
    groups = people_groups(rows, setting)
    measured = [row for row in rows if row.measured]

    def paint(figure: Any) -> None:
        axes = figure.subplots()
        for number, row in enumerate(measured):
            metrics = [f"{setting.metric}_n{group}" for group in groups]
            shift = 0.08 * (number - (len(measured) - 1) / 2)  # so that no spread hides another
            places = [place + shift for place in range(len(groups))]
            spreads = [0.0 if math.isnan(spread := row.spread(metric)) else spread for metric in metrics]
            color = RUN_COLORS[number % len(RUN_COLORS)]
            axes.errorbar(
                places, [row.mean(metric) for metric in metrics], spreads, color=color, marker="o", label=row.cell.label
            )
        axes.set_xticks(range(len(groups)), [people_group(group) for group in groups])
        axes.set(ylim=(0, 1.02), xlabel="annotated people per image", ylabel=METRIC_NAMES[setting.metric])
        axes.grid(axis="y")
        axes.yaxis.set_major_formatter(_per_cent)
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))

    return figure_file(paint, (10.0, 4.0), file_format)


def _rows(axes: Any, rows: Sequence[Row], setting: Setting) -> None:
    """Mean and spread in front, single seeds pale behind, the number in words in a column of its own."""
    for place, row in enumerate(rows):
        axes.plot([0, 1], [place, place], color=GRID, linewidth=0.8, zorder=0)
        values = row.values(setting.metric)
        if not values:
            axes.text(_COLUMN, place, row.state(), ha="right", va="center", color=MUTED, fontsize=9, style="italic")
            continue
        mean, spread = row.mean(setting.metric), row.spread(setting.metric)
        if len(values) > 1:
            axes.plot(values, [place] * len(values), "o", color=_MEASURED, alpha=0.3, markersize=5, zorder=2)
            axes.plot([mean - spread, mean + spread], [place, place], color=_MEASURED, linewidth=2.5, zorder=3)
        axes.plot([mean], [place], "o", color=_MEASURED, markersize=8, zorder=4)
        axes.text(_COLUMN, place, with_spread(mean, spread), ha="right", va="center", color=INK, fontsize=9.5)


def _bounds(axes: Any, bounds: Sequence[tuple[str, float]], count: int) -> None:
    """Dashed lines with their names above the rows, the largest on top, so that no name crosses another line."""
    for level, (name, value) in enumerate(bounds):
        top = -0.5 - _LABEL_GAP * level
        axes.plot([value, value], [count - 0.5, top], color=MUTED, linestyle=(0, (4, 3)), linewidth=1.1, zorder=1)
        side = {"x": value - 0.008, "ha": "right"} if value > 0.45 else {"x": value + 0.008, "ha": "left"}
        label = f"{reference_name(name)} {percent(value)}"
        axes.text(y=top + 0.06, s=label, va="center", color=MUTED, fontsize=8.5, **side)


def _diamonds(axes: Any, numbers: Sequence[float]) -> None:
    """The paper's numbers."""
    for place, number in enumerate(numbers):
        if not math.isnan(number):
            axes.plot([number], [place], "D", color=_PAPER, markersize=7, zorder=4)


def _in_words(axes: Any, numbers: Sequence[float]) -> tuple[float, float]:
    """Grid lines with the paper's numbers in words behind them; returns where the lines begin and end."""
    known = [number for number in numbers if not math.isnan(number)]
    room = max(max(known) - min(known), 0.01)
    low, high = min(known) - 0.15 * room, max(known) + 0.15 * room
    for place, number in enumerate(numbers):
        axes.plot([low, high], [place, place], color=GRID, linewidth=0.8, zorder=0)
        words = "" if math.isnan(number) else f"{100 * number:.2f} %"
        axes.text(low + 1.45 * (high - low), place, words, ha="right", va="center", color=INK, fontsize=9.5)
    return low, high


def _finish(axes: Any, low: float, high: float, end: float, label: str) -> None:
    """Ticks in per cent from ``low`` to ``high``; from there to ``end`` there is room for words."""
    from matplotlib.ticker import MaxNLocator

    ticks = MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(low, high)
    axes.set_xlim(low, end)
    axes.set_xticks([tick for tick in ticks if low <= tick <= high])
    axes.xaxis.set_major_formatter(_per_cent)
    axes.set_xlabel(label, x=(high - low) / (end - low) / 2)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)


def _per_cent(value: float, _: int) -> str:
    return percent(value, digits=0)


def shows_paper(rows: Sequence[Row], setting: Setting) -> bool:
    """Whether the plot has the paper's numbers: measured alike, or several, for one alone has no order to look at."""
    known = sum(setting.emotions in row.cell.paper for row in rows)
    return known > (0 if setting.comparable else 1)


def _paper(row: Row, setting: Setting) -> float:
    number = row.cell.paper.get(setting.emotions)
    return math.nan if number is None else number / 100
