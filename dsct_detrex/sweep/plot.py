"""The plot of a sweep: what every cell reaches, its spread over seeds, and the paper's number.

Where the paper's numbers were measured on the same data they share the axis; elsewhere they get one of their own, if
there are several.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from dsct_detrex.data.catalogue import title_of
from dsct_detrex.evaluation.formatting import people_group, percent
from dsct_detrex.sweep.results import Row
from dsct_detrex.sweep.setting import METRIC_WORDS, Setting
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
            _finish(panels[1], low, high, low + 1.45 * (high - low), paper_axis(setting), marks=3)
        if shows_paper(rows, setting):
            _diamonds(panels[-1], numbers)
        panels[0].set_yticks(range(len(rows)), [row.cell.marked_label + row.on_part() for row in rows], color=INK)
        panels[0].set_ylabel(setting.sweep.axis)
        panels[0].set_ylim(len(rows) - 0.5, -0.5 - _LABEL_GAP * len(bounds))

    height = 1.0 + 0.42 * len(rows) + 0.2 * len(bounds)
    return figure_file(paint, (10.0, height), file_format)


def plot_by_people(rows: Sequence[Row], setting: Setting, file_format: Format = "png") -> bytes:
    """Draw the metric over the number of people in the image, one line for each measured cell; dashed the paper's."""
    groups = people_groups(rows, setting)
    measured = [row for row in rows if row.measured]
    printed = {row.cell.name: row.cell.paper_by_people.get(setting.paper_kind, {}) for row in rows}
    apart = any(printed.values()) and not setting.comparable

    def paint(figure: Any) -> None:
        panels = figure.subplots(1, 2, width_ratios=[1.6, 1]) if apart else [figure.subplots()]
        for number, row in enumerate(rows):
            color = RUN_COLORS[number % len(RUN_COLORS)]
            if row.measured:
                shift = 0.08 * (measured.index(row) - (len(measured) - 1) / 2)  # so that no spread hides another
                _people_line(panels[0], row, setting, groups, shift, color)
            if printed[row.cell.name]:
                values = [printed[row.cell.name].get(group, math.nan) / 100 for group in groups]
                label = f"{row.cell.label}, the paper's"
                panels[-1].plot(values, color=color, marker="D", markersize=5, linestyle=(0, (4, 2)), label=label)
        _people_axes(panels[0], groups, f"{METRIC_NAMES[setting.metric]}, measured on {setting.data} data")
        if apart:
            _people_axes(panels[1], groups, paper_axis(setting))
        else:
            panels[0].set_ylim(0, 1.02)

    return figure_file(paint, (11.0, 4.6), file_format)


def _people_line(axes: Any, row: Row, setting: Setting, groups: Sequence[str], shift: float, color: str) -> None:
    """Means of one cell with their spread."""
    metrics = [f"{setting.metric}_n{group}" for group in groups]
    spreads = [0.0 if math.isnan(spread := row.spread(metric)) else spread for metric in metrics]
    places = [place + shift for place in range(len(groups))]
    means = [row.mean(metric) for metric in metrics]
    axes.errorbar(places, means, spreads, color=color, marker="o", label=row.cell.marked_label + row.on_part())


def _people_axes(axes: Any, groups: Sequence[str], name: str) -> None:
    """Groups below, per cent at the side, the legend under both."""
    axes.set_xticks(range(len(groups)), [people_group(group) for group in groups])
    axes.set(xlabel="annotated people per image", ylabel=name, xlim=(-0.4, len(groups) - 0.6))
    axes.margins(y=0.15)
    axes.grid(axis="y")
    axes.yaxis.set_major_formatter(_per_cent)
    axes.legend(loc="upper left", bbox_to_anchor=(0.0, -0.14), handlelength=2.6)


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


def _finish(axes: Any, low: float, high: float, end: float, label: str, marks: int = 5) -> None:
    """About so many ``marks`` in per cent from ``low`` to ``high``; from there to ``end`` there is room for words."""
    from matplotlib.ticker import MaxNLocator

    ticks = MaxNLocator(marks, steps=[1, 2, 5, 10]).tick_values(low, high)
    axes.set_xlim(low, end)
    axes.set_xticks([tick for tick in ticks if low <= tick <= high])
    axes.xaxis.set_major_formatter(_per_cent)
    axes.set_xlabel(label, x=(high - low) / (end - low) / 2)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)


def _per_cent(value: float, _: int) -> str:
    return f"{round(100 * value, 1):g} %"


def paper_axis(setting: Setting) -> str:
    """The name of an axis that has the paper's numbers alone."""
    return f"the paper's {METRIC_WORDS[setting.paper_metric]} on {title_of(setting.paper_kind)}"


def shows_paper(rows: Sequence[Row], setting: Setting) -> bool:
    """Whether the plot has the paper's numbers: measured alike, or several, for one alone has no order to look at."""
    known = sum(setting.paper_kind in row.cell.paper for row in rows)
    return known > (0 if setting.comparable else 1)


def _paper(row: Row, setting: Setting) -> float:
    number = row.cell.paper.get(setting.paper_kind)
    return math.nan if number is None else number / 100
