"""How runs learn: the training loss and the metric over the iterations."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from dsct_detrex.visualization.plots.canvas import (
    METRIC_NAMES,
    Format,
    Row,
    figure_file,
    per_cent_axis,
    reference_lines,
    run_colors,
)
from dsct_detrex.visualization.style import MUTED, RUN_COLORS

_PART = re.compile(r"loss_[a-z]\w*?(?<!\d)")
"""Names of the losses of the last layer; those of other layers end in a number."""
_PARTS_SHOWN = 4
_FOUND = "bbox/recall50"


def learning_curves(
    histories: Mapping[str, Sequence[Row]],
    metric: str = "acc",
    references: Mapping[str, float] | None = None,
    file_format: Format = "svg",
    prefix: str = "",
) -> bytes:
    """Training loss and evaluation metric over the iterations, side by side.

    A run that is alone shows the largest parts of its loss too, and the share of people found.

    Args:
        histories: run name -> rows of ``metrics.jsonl``; ``iteration`` with ``total_loss`` or ``emotion/<metric>``.
        metric: ``"acc"`` or ``"mAP"``.
        references: name -> value, dashed lines in the metric's plot.
        file_format: ``"svg"`` or ``"png"``.
        prefix: of the metric's name, ``"ema/"`` for those of the weight average.
    """
    alone = len(histories) == 1

    def paint(figure: Any) -> None:
        loss_axes, metric_axes = figure.subplots(1, 2, sharex=True)
        top = max((value for rows in histories.values() for _, value in _series(rows, "total_loss")), default=1.0)
        for color, (name, rows) in zip(run_colors(), histories.items()):
            losses = _series(rows, "total_loss")
            _line(loss_axes, losses, color=color, alpha=0.28, linewidth=1.0)
            _line(loss_axes, smoothed(losses), color=color, label="total" if alone else name)
            points = _series(rows, f"{prefix}emotion/{metric}")
            label = METRIC_NAMES[metric] if alone else name
            _line(metric_axes, points, color=color, marker="o", label=label)
        for rows in histories.values() if alone else ():
            for color, part in zip(RUN_COLORS[1:], _parts(rows)):
                label = part.removeprefix("loss_").replace("_", " ")
                _line(loss_axes, smoothed(_series(rows, part)), color=color, linewidth=1.2, label=label)
            found = _series(rows, f"{prefix}{_FOUND}")
            _line(metric_axes, found, color=MUTED, linewidth=1.4, linestyle=(0, (1, 1)), label="people found")
        loss_axes.set(title="Training loss", xlabel="iteration", ylim=(0, 1.05 * top))
        what = "Accuracy and people found" if metric == "acc" else "mAP and people found"
        name = what if alone else METRIC_NAMES[metric]
        metric_axes.set(title=f"{name} on the evaluation set", xlabel="iteration")
        per_cent_axis(metric_axes.yaxis)
        metric_axes.set_ylim(0, 1.02)
        reference_lines(metric_axes, references or {})
        for axes in (loss_axes, metric_axes):
            axes.grid(axis="y")
            _whole_numbers(axes.xaxis)
        loss_axes.legend(loc="best")
        if alone:
            metric_axes.legend(loc="best")

    return figure_file(paint, (10.0, 3.8), file_format)


def _line(axes: Any, points: Sequence[tuple[float, float]], **style: Any) -> None:
    """A single point is drawn as one: a line needs two to be seen."""
    marker = {"marker": "o"} if len(points) == 1 else {}
    axes.plot([x for x, _ in points], [y for _, y in points], **{"markersize": 3.5, **marker, **style})


def smoothed(points: Sequence[tuple[float, float]], window: int = 9) -> list[tuple[float, float]]:
    """Centred running mean, with narrower windows at the ends."""
    smooth = []
    for index, (x, _) in enumerate(points):
        reach = min(window // 2, index, len(points) - 1 - index)
        near = [y for _, y in points[index - reach : index + reach + 1]]
        smooth.append((x, sum(near) / len(near)))
    return smooth


def _parts(rows: Sequence[Row]) -> list[str]:
    """Names of the largest losses of the last layer, by their sum."""
    names = {name for row in rows for name in row if _PART.fullmatch(name)}
    return sorted(names, key=lambda name: (-sum(value for _, value in _series(rows, name)), name))[:_PARTS_SHOWN]


def _series(rows: Sequence[Row], key: str) -> list[tuple[float, float]]:
    """(iteration, value) of the rows that have the key."""
    return [(float(row["iteration"]), float(row[key])) for row in rows if row.get(key) is not None]


def _whole_numbers(axis: Any) -> None:
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
