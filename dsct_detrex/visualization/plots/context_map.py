"""One person of a scene with the contexts that a model took in for them: circles whose area is the weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from dsct_detrex.visualization.plots.canvas import Format, figure_file
from dsct_detrex.visualization.style import INK

GROUP_COLORS = ("#d55e00", "#e69f00", "#0072b2", "#56b4e9", "#009e73", "#cc79a7", "#f0e442", "#8a8f98")
"""Of Okabe and Ito, and a grey; as many as there are groups."""
_LARGEST = 1500.0
"""Area of a circle of all the weight, points squared."""


@dataclass(frozen=True, eq=False)
class ContextMap:
    """Where the contexts of a person are, and how much each counts.

    Attributes:
        image: the picture.
        box: of the person, xyxy in pixels.
        layer: number of the decoder layer.
        points: (M, 2) contexts, xy in [0, 1].
        weights: (M,) of each, not all 0.
        groups: (M,) what each lies on, an index.
        caption: who is read how.
    """

    image: Image.Image
    box: tuple[float, float, float, float]
    layer: int
    points: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]
    groups: npt.NDArray[np.int64]
    caption: str


def context_picture(shown: ContextMap, groups: Sequence[str], file_format: Format = "svg") -> bytes:
    """One person's contexts as a figure of its own.

    Args:
        shown: the person.
        groups: names, as many as there are colours.
        file_format: ``"svg"`` or ``"png"``.
    """
    height = 7.0 * shown.image.height / shown.image.width + 1.4
    return figure_file(lambda figure: paint_context_map(figure.subplots(), shown, groups), (7.0, height), file_format)


def paint_context_map(axes: Any, shown: ContextMap, groups: Sequence[str]) -> None:
    """Rings, so that a face under one stays a face; contexts that were not chosen are dots.

    Args:
        axes: of matplotlib.
        shown: the person.
        groups: names, as many as there are colours.
    """
    from matplotlib.lines import Line2D

    width, height = shown.image.size
    axes.imshow(np.asarray(shown.image), extent=(0, width, height, 0), interpolation="lanczos")
    across, down = (shown.points * (width, height)).T
    share = shown.weights / shown.weights.sum()
    chosen = share > 0
    colors = np.array(GROUP_COLORS)[shown.groups]
    axes.scatter(across[~chosen], down[~chosen], s=5, c="white", edgecolors=INK, linewidths=0.4)
    areas = 14 + _LARGEST * share[chosen]
    axes.scatter(across[chosen], down[chosen], s=areas, facecolors="none", edgecolors="white", linewidths=3.6)
    axes.scatter(across[chosen], down[chosen], s=areas, facecolors="none", edgecolors=colors[chosen], linewidths=1.9)
    x0, y0, x1, y1 = shown.box
    for color, style in (("white", "-"), (INK, (0, (3, 2)))):
        axes.plot((x0, x1, x1, x0, x0), (y0, y0, y1, y1, y0), color=color, linestyle=style, linewidth=1.4)
    axes.set(xlim=(0, width), ylim=(height, 0), xticks=[], yticks=[])
    axes.set_title(f"Contexts of the person in the box, layer {shown.layer}")
    axes.set_xlabel(shown.caption)
    for side in axes.spines.values():
        side.set_visible(False)
    seen = sorted(set(shown.groups[chosen].tolist()))
    handles = [
        Line2D([], [], marker="o", linestyle="", markerfacecolor="none", markeredgewidth=1.9, color=GROUP_COLORS[group])
        for group in seen
    ]
    labels = [groups[group] for group in seen]
    axes.legend(handles, labels, loc="upper center", bbox_to_anchor=(0.5, -0.09), ncols=3, handletextpad=0.1)
