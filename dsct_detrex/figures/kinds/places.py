"""Places of the subject queries: where each says that people are, over many pictures (paper Figure 9)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from dsct_detrex.counting import counted
from dsct_detrex.figures.contracts import Absent, Drawing, Material
from dsct_detrex.visualization.style import GRID, MUTED, RUN_COLORS

_SIDE = 2.3
_MOST = 24
_COLUMNS = 4
_LARGEST = 400.0
"""Area of the point of a box as large as the picture, square points of paper."""


def draw(material: Material) -> Iterator[Drawing]:
    """One picture: a square for every query, with the centres of its boxes."""
    count = min(material.many, len(material.samples))
    samples = (material.samples.sample(index) for index in range(count))
    rows = [
        torch.cat([_unit(people.pred_boxes.tensor, people.image_size), people.scores[:, None]], -1)
        for people in material.model.everybody(samples)
    ]
    found = torch.stack(rows, 1)  # (N, pictures, 5): centre, size, confidence
    if not len(found):
        raise Absent("this model has no subject queries.")
    surest = _by_use(found, material.model.predictor.threshold)[:_MOST]
    columns = min(_COLUMNS, len(surest)) if len(surest) != 9 else 3
    lines = math.ceil(len(surest) / columns)

    def paint(figure: Any) -> None:
        grid = figure.subplots(lines, columns, squeeze=False, sharex=True, sharey=True)
        for place, axes in enumerate(grid.flat):
            if place >= len(surest):
                axes.set_axis_off()
                continue
            query = surest[place]
            _put(axes, found[query], material.model.predictor.threshold, query, RUN_COLORS[place % len(RUN_COLORS)])

    left = f" (of {len(found)} queries those {len(surest)} that find most people)" if len(found) > len(surest) else ""
    yield Drawing(
        "places",
        paint,
        (_SIDE * columns, (_SIDE + 0.3) * lines),
        f"Centres of the boxes of every subject query{left} in the picture's frame over {counted(count, 'picture')}: "
        f"coloured where the query says with confidence {material.model.predictor.threshold:g} that there is a person, "
        "the larger the larger the box; grey where it says nobody.",
        [f"the first {count} of: {material.samples.said}"],
    )


def _put(axes: Any, boxes: Tensor, threshold: float, query: int, color: str) -> None:
    """(pictures, 5) boxes of one query."""
    here = boxes[:, 4] >= threshold
    axes.scatter(*boxes[~here, :2].T.tolist(), s=4, color=MUTED, alpha=0.35, linewidths=0)
    areas = 8 + _LARGEST * (boxes[here, 2] * boxes[here, 3])
    look = {"alpha": 0.6, "linewidths": 0.4, "edgecolors": "white"}
    axes.scatter(*boxes[here, :2].T.tolist(), s=areas.tolist(), color=color, **look)
    axes.set(xlim=(0, 1), ylim=(1, 0), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1], aspect="equal")
    axes.set_title(f"query {query}: {counted(int(here.sum()), 'person')}", fontsize=9.5)
    for spine in axes.spines.values():
        spine.set(visible=True, color=GRID)
    axes.grid(True)


def _by_use(found: Tensor, threshold: float) -> list[int]:
    """Queries in their order, or, where there are too many to draw, those that find most people."""
    if len(found) <= _MOST:
        return list(range(len(found)))
    order: list[int] = (found[..., 4] >= threshold).sum(1).argsort(descending=True, stable=True).tolist()
    return order


def _unit(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """(N, 4) xyxy in pixels -> cxcywh in [0, 1] of the picture."""
    height, width = size
    scaled = boxes / boxes.new_tensor([width, height, width, height])
    return torch.cat([(scaled[:, :2] + scaled[:, 2:]) / 2, scaled[:, 2:] - scaled[:, :2]], -1)
