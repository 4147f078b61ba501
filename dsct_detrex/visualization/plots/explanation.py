"""Where context weight lies, and what changes when a cause is painted out: bars beside what chance and Bayes say.

``checkpoints`` is a list of dicts as ``explain/results.py`` describes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dsct_detrex.evaluation.formatting import percent
from dsct_detrex.visualization.plots.canvas import Format, figure_file, run_colors
from dsct_detrex.visualization.plots.context_map import ContextMap, paint_context_map
from dsct_detrex.visualization.style import GRID, INK, MUTED

Checkpoint = Mapping[str, Any]

_UNIFORM = "uniform weights, or random choice"
_NEAREST: dict[str, Any] = {
    "s": 26, "marker": "D", "facecolors": "white", "edgecolors": INK, "linewidths": 1.1, "zorder": 3,
}  # fmt: skip


def share_bars(checkpoints: Sequence[Checkpoint], groups: Sequence[str], file_format: Format = "svg") -> bytes:
    """Shares of context weight by group, over all layers.

    Args:
        checkpoints: at least one with shares; others only keep their colour.
        groups: names.
        file_format: ``"svg"`` or ``"png"``.
    """
    height = 1.2 + len(groups) * (0.16 + 0.2 * len(checkpoints))
    return figure_file(lambda figure: _shares(figure.subplots(), checkpoints, groups), (10.0, height), file_format)


def change_bars(checkpoints: Sequence[Checkpoint], causes: Sequence[str], file_format: Format = "svg") -> bytes:
    """Changes of the predicted emotion's probability by cause.

    Args:
        checkpoints: at least one.
        causes: names.
        file_format: ``"svg"`` or ``"png"``.
    """
    return figure_file(lambda figure: _changes(figure.subplots(), checkpoints, causes), (10.0, 3.6), file_format)


def explanation_sheet(
    content: Mapping[str, Any], causes: Sequence[str], example: ContextMap | None, file_format: Format = "png"
) -> bytes:
    """A scene with its contexts, shares and changes on one sheet; without shares the changes alone.

    Args:
        content: ``groups`` and ``checkpoints``.
        causes: names.
        example: the scene; None where no model takes in contexts.
        file_format: ``"svg"`` or ``"png"``.
    """
    checkpoints, groups = content["checkpoints"], content["groups"]
    looking = [one for one in checkpoints if one["shares"]]
    if not looking or example is None:
        return change_bars(checkpoints, causes, file_format)
    upper = max(4.6, 1.4 + len(groups) * (0.16 + 0.2 * len(looking)))

    def paint(figure: Any) -> None:
        top, bottom = figure.subfigures(2, 1, height_ratios=(upper, 3.6))
        left, right = top.subplots(1, 2, width_ratios=(1.15, 1.0))
        paint_context_map(left, example, groups)
        _shares(right, checkpoints, groups)
        _changes(bottom.subplots(), checkpoints, causes)

    return figure_file(paint, (12.5, upper + 3.6), file_format)


def _shares(axes: Any, checkpoints: Sequence[Checkpoint], groups: Sequence[str]) -> None:
    looking = [(color, one) for color, one in zip(run_colors(), checkpoints, strict=False) if one["shares"]]
    thick = 0.8 / len(looking)
    for run, (color, checkpoint) in enumerate(looking):
        row = checkpoint["shares"][0]
        places = np.arange(len(groups)) + (run - (len(looking) - 1) / 2) * thick
        axes.barh(places, row["weight"], height=0.88 * thick, color=color, label=checkpoint["name"])
        axes.hlines(places, row["low"], row["high"], color=INK, linewidth=1.2)
        axes.vlines(row["uniform"], places - 0.46 * thick, places + 0.46 * thick, color=INK, linewidth=2.4)
        axes.scatter(row["nearest"], places, **_NEAREST)
    axes.set_yticks(range(len(groups)), groups, color=INK)
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    axes.set_title("Share of context weight that lies on ...")
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    axes.xaxis.set_major_formatter(lambda value, _: percent(value, digits=0))
    axes.plot([], [], color=INK, marker="|", markersize=11, markeredgewidth=2.4, linestyle="", label=_UNIFORM)
    axes.scatter([], [], **_NEAREST, label="as many, but the nearest")
    _legend(axes)


def _changes(axes: Any, checkpoints: Sequence[Checkpoint], causes: Sequence[str]) -> None:
    wide = 0.8 / len(checkpoints)
    for run, (color, checkpoint) in enumerate(zip(run_colors(), checkpoints, strict=False)):
        of_cause = {row["cause"]: row for row in checkpoint["changes"] if row["change"] is not None}
        known = [number for number, cause in enumerate(causes) if cause in of_cause]
        rows = [of_cause[causes[number]] for number in known]
        places = np.array(known) + (run - (len(checkpoints) - 1) / 2) * wide
        values = {key: np.array([100 * row[key] for row in rows]) for key in ("change", "low", "high", "ideal")}
        axes.bar(places, values["change"], width=0.88 * wide, color=color, label=checkpoint["name"])
        axes.vlines(places, values["low"], values["high"], color=INK, linewidth=1.2)
        label = "exact: a reader of all cues" if run == 0 else None
        axes.hlines(values["ideal"], places - 0.44 * wide, places + 0.44 * wide, color=INK, linewidth=2.2, label=label)
    axes.axhline(0, color=MUTED, linewidth=0.8)
    axes.set_xticks(range(len(causes)), causes, color=INK)
    axes.set_title("Change of the predicted emotion's probability when this is painted out")
    axes.set_ylabel("percentage points")
    axes.spines["left"].set_visible(False)
    axes.spines["bottom"].set_color(GRID)
    axes.grid(axis="y")
    _legend(axes)


def _legend(axes: Any) -> None:
    """Below the axes, in the order in which things were drawn."""
    handles, labels = axes.get_legend_handles_labels()
    order = sorted(range(len(labels)), key=lambda index: not hasattr(handles[index], "patches"))  # runs first
    axes.legend(
        [handles[index] for index in order],
        [labels[index] for index in order],
        loc="upper center",
        bbox_to_anchor=(0.5, -0.1),
        ncols=3,
        handlelength=1.2,
    )
