"""What fusion does in every decoder layer, one line a checkpoint, and what its weight lies on.

``checkpoints`` is a list of dicts as ``diagnosis/command_line.py`` describes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from dsct_detrex.evaluation.formatting import percent
from dsct_detrex.visualization.plots.canvas import Format, figure_file, run_colors
from dsct_detrex.visualization.plots.context_map import GROUP_COLORS
from dsct_detrex.visualization.style import INK, text_color_on

Checkpoint = Mapping[str, Any]

_PANELS = {
    "largest": ("Largest weight of a context", (0, 1)),
    "effective": ("Effective number of contexts", (0, None)),
    "length": ("Length of what is added,\nover the subject's", (0, None)),
    "cosine": ("Cosine of what is added\nwith the subject", (0, 1)),
    "spread": ("Standard deviation of products", (0, None)),
}
"""Key -> title and limits of the axis, which goes further down where a value does."""
_APART = 0.05
"""Between the lines of two checkpoints, in layers: equal ones are both seen."""
_MARKERS = "osD^vP"
_LEAST = 0.06
"""Share from which a bar's part has its number written into it."""


def fusion_sheet(content: Mapping[str, Any], file_format: Format = "svg") -> bytes:
    """Six panels over the layers; below, where it is known, what the weight lies on.

    Args:
        content: ``groups`` and ``checkpoints``, of which at least one has layers.
        file_format: ``"svg"`` or ``"png"``.
    """
    shown = [one for one in content["checkpoints"] if one["layers"]]
    placed = [one for one in shown if _shares(one, "lies_on") is not None]
    lower = 1.5 + 0.62 * len(placed) if placed else 0.0

    def paint(figure: Any) -> None:
        parts = figure.subfigures(2, 1, height_ratios=(6.2, lower)) if placed else [figure]
        panels = parts[0].subplots(2, 3).flat
        for axes, (name, (title, limits)) in zip(panels, _PANELS.items()):
            _panel(axes, shown, title, limits, lambda layer, name=name: layer["people"][name])
        _panel(panels[5], shown, "Gradient to contexts:\nshare through fusion", (0, 1), _through_fusion)
        panels[5].yaxis.set_major_formatter(lambda value, _: percent(value, digits=0))
        if len(shown) > 1:
            handles, names = panels[0].get_legend_handles_labels()
            parts[0].legend(handles, names, loc="outside upper left", ncols=min(len(shown), 6))
        if placed:
            _bars(parts[1].subplots(), placed, content["groups"])

    return figure_file(paint, (11.0, 6.2 + lower), file_format)


def _panel(axes: Any, shown: Sequence[Checkpoint], title: str, limits: tuple[float, float | None], read: Any) -> None:
    """Lines over layers; the layer's numbers are whole."""
    lowest, highest = limits[0], limits[1] or 0.0
    for run, (color, marker, checkpoint) in enumerate(zip(run_colors(), _MARKERS * len(shown), shown)):
        aside = _APART * (run - (len(shown) - 1) / 2)
        points = [
            (layer["layer"] + aside, value) for layer in checkpoint["layers"] if (value := read(layer)) is not None
        ]
        lowest = min([lowest, *(value for _, value in points)])
        highest = max([highest, *(value for _, value in points)])
        axes.plot(*np.array(points).reshape(-1, 2).T, color=color, marker=marker, label=checkpoint["name"])
    numbers = sorted({layer["layer"] for checkpoint in shown for layer in checkpoint["layers"]})
    axes.set_title(title)
    axes.set_xticks(numbers, [f"layer {number}" if len(numbers) < 4 else str(number) for number in numbers])
    axes.set_xlim(numbers[0] - 0.4, numbers[-1] + 0.4)
    if len(numbers) > 3:
        axes.set_xlabel("decoder layer")
    axes.set_ylim(1.05 * lowest, 1.05 * highest or 1.0)
    axes.grid(axis="y")


def _through_fusion(layer: Mapping[str, Any]) -> float | None:
    gradient = layer["gradient"]
    both = gradient["fusion"] + gradient["rest"] if gradient else 0.0
    return gradient["fusion"] / both if both else None


def _bars(axes: Any, placed: Sequence[Checkpoint], groups: Sequence[str]) -> None:
    """Two stacked bars a checkpoint, the mean over layers: the weight, and all contexts alike."""
    rows: list[tuple[str, list[float]]] = []
    for checkpoint in placed:
        rows.append((checkpoint["name"], _shares(checkpoint, "lies_on") or []))
        rows.append(("its contexts alike", _shares(checkpoint, "contexts") or []))
    places = [1.1 * (number // 2) + 0.46 * (number % 2) for number in range(len(rows))]
    left = np.zeros(len(rows))
    for group, color in enumerate(GROUP_COLORS[: len(groups)]):
        shares = np.array([row[group] for _, row in rows])
        axes.barh(places, shares, left=left, height=0.4, color=color, label=groups[group], edgecolor="white")
        for place, start, share in zip(places, left, shares):
            if share >= _LEAST:
                middle = start + share / 2
                axes.text(middle, place, f"{100 * share:.0f}", ha="center", va="center", color=text_color_on(color))
        left = left + shares
    axes.set_yticks(places, [name for name, _ in rows], color=INK)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_title("What the weight of people's subjects lies on, per cent, mean over layers")
    axes.xaxis.set_major_formatter(lambda value, _: percent(value, digits=0))
    axes.spines["left"].set_visible(False)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=len(groups), handlelength=1.0, columnspacing=1.2)


def _shares(checkpoint: Checkpoint, key: str) -> list[float] | None:
    """Mean over the layers that have them."""
    rows = [layer[key] for layer in checkpoint["layers"] if layer[key] is not None]
    return [float(value) for value in np.mean(rows, 0)] if rows else None
