"""The picture of the paper's Figure 2: score over parameters, what is measured here beside what the paper prints.

Where both were measured on the same data they share the axes; elsewhere each has its own, side by side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dsct_detrex.data.catalogue import title_of
from dsct_detrex.sweep.paper_tables import quoted_systems
from dsct_detrex.sweep.results import Row
from dsct_detrex.sweep.setting import METRIC_WORDS, Setting
from dsct_detrex.visualization.labels import place_labels
from dsct_detrex.visualization.plots import METRIC_NAMES, Format, figure_file
from dsct_detrex.visualization.style import INK, MUTED, RUN_COLORS

_LEAST = 0.1  # of the axis of scores
_ROOM = 1.6  # of the axis of parameters, left of the smallest and right of the largest


@dataclass(frozen=True)
class Point:
    """One system.

    Attributes:
        millions: of parameters.
        score: a fraction.
        spread: standard deviation over seeds; 0 where there is none.
    """

    label: str
    millions: float
    score: float
    spread: float = 0.0


@dataclass(frozen=True)
class Kind:
    """Points that look alike, and what the legend calls them."""

    name: str
    points: list[Point]
    marker: str
    color: str
    ink: str


@dataclass(frozen=True)
class Panel:
    """One pair of axes: what is on it, its title, and the metric that its points share."""

    kinds: list[Kind]
    title: str
    metric: str


def plot_efficiency(rows: Sequence[Row], setting: Setting, file_format: Format = "png") -> bytes:
    """Draw it.

    Args:
        file_format: ``"svg"`` or ``"png"``.
    """
    measured, printed = measured_points(rows, setting), printed_kinds(rows, setting)
    own = Kind("measured here", measured, "o", RUN_COLORS[0], INK)
    here = Panel([own], f"Measured: {setting.data}, {setting.scale} scale", METRIC_NAMES[setting.metric])
    there = Panel(printed, f"Printed: {title_of(setting.paper_kind)}", METRIC_NAMES[setting.paper_metric])
    panels = [panel for panel in (here, there) if any(kind.points for kind in panel.kinds)]
    if setting.comparable:
        panels = [Panel([*printed, own], title_of(setting.paper_kind), METRIC_NAMES[setting.metric])]

    def paint(figure: Any) -> None:
        grid = figure.subplots(1, len(panels), width_ratios=[1, 1.9][: len(panels)], squeeze=False)[0]
        for axes, panel in zip(grid, panels):
            _draw(axes, panel)
        figure.draw_without_rendering()  # so that the layout stands before labels look for room
        for axes, panel in zip(grid, panels):
            points = [(one.millions, one.score, one.label, kind.ink) for kind in panel.kinds for one in kind.points]
            place_labels(axes, points)

    return figure_file(paint, (11.0, 5.6), file_format)


def measured_points(rows: Sequence[Row], setting: Setting) -> list[Point]:
    """What is measured here: mean score of each cell over its parameters."""
    points = []
    for row in rows:
        if row.values(setting.metric):
            spread = row.spread(setting.metric)
            size = row.measured[0].parameters_total / 1e6
            label = row.cell.marked_label + row.on_part()
            points.append(Point(label, size, row.mean(setting.metric), 0.0 if math.isnan(spread) else spread))
    return points


def printed_kinds(rows: Sequence[Row], setting: Setting) -> list[Kind]:
    """What the paper prints with parameters: systems it quotes, and its own; none where it has no such numbers."""
    kind = setting.paper_kind
    quoted = [_printed(one.label, one.paper[kind], one.params_m) for one in quoted_systems(setting)]
    own = [
        _printed(row.cell.printed_as, row.cell.paper[kind], row.cell.params_m) for row in rows if kind in row.cell.paper
    ]
    kinds = [
        Kind("quoted by the paper, as printed", [one for one in quoted if one], "o", MUTED, MUTED),
        Kind("the paper's own, as printed", [one for one in own if one], "D", RUN_COLORS[1], INK),
    ]
    return [one for one in kinds if one.points]


def _printed(label: str, score: float, params_m: float | None) -> Point | None:
    return None if params_m is None else Point(label, params_m, score / 100)


def efficiency_caption(setting: Setting) -> str:
    """Under the picture."""
    apart = "" if setting.comparable else " The two axes do not compare: other data, other sizes of the models."
    return (
        f"Score over millions of parameters (logarithmic). The paper's {METRIC_WORDS[setting.paper_metric]} and its "
        f"parameters are as printed, measured ones are this package's own count.{apart}"
    )


def _draw(axes: Any, panel: Panel) -> None:
    """Axes, markers and legend; labels come later."""
    axes.set_xscale("log")
    for kind in panel.kinds:
        look = {"linestyle": "none", "marker": kind.marker, "color": kind.color, "label": kind.name}
        hollow = {"markerfacecolor": "none"} if kind.color == MUTED else {}
        sizes, scores = [one.millions for one in kind.points], [one.score for one in kind.points]
        axes.plot(sizes, scores, markersize=8, **look, **hollow)
        for one in kind.points:
            axes.vlines(one.millions, one.score - one.spread, one.score + one.spread, color=kind.color, linewidth=2)
    every = [one.millions for kind in panel.kinds for one in kind.points]
    if every:
        axes.set_xlim(min(every) / _ROOM, max(every) * _ROOM)
        axes.set_ylim(*_range([one for kind in panel.kinds for one in kind.points]))
    _ticks(axes)
    axes.set_title(panel.title)
    axes.set(xlabel="parameters, millions", ylabel=panel.metric)
    axes.grid(True)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=len(panel.kinds), handletextpad=0.4)


def _range(points: Sequence[Point]) -> tuple[float, float]:
    """Of the axis of scores: all points with their spread, and so wide that chance does not look big."""
    low, high = min(one.score - one.spread for one in points), max(one.score + one.spread for one in points)
    half = max(0.65 * (high - low), _LEAST / 2)
    return (low + high) / 2 - half, (low + high) / 2 + half


def _ticks(axes: Any) -> None:
    """Whole numbers of millions that a reader expects, and per cent."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

    low, high = axes.get_xlim()
    wanted = (1, 2, 5, 10, 15, 20, 30, 50, 100, 200, 300, 500, 1000)
    axes.set_xticks([tick for tick in wanted if low <= tick <= high])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{round(100 * value, 1):g} %"))
