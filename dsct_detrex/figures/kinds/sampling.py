"""Reference point and sampling points of a person, alone and with the person's contexts (paper Figure 8)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from dsct_detrex.data.images import Photo
from dsct_detrex.figures.contracts import Absent, Drawing, Material
from dsct_detrex.figures.fused import TakenIn, taken_in
from dsct_detrex.figures.ground import (
    BOTH,
    NEAREST,
    OWN,
    REFERENCE,
    RELEVANT,
    legend_below,
    panel_inches,
    put_box,
    put_picture,
    put_points,
    put_reference,
)
from dsct_detrex.figures.looking import Look

_WIDTH = 4.8
_LARGEST, _SMALLEST = 90.0, 6.0
"""Areas as in ``ground``; these points are many."""
_CARRIED = 0.95
"""Share of the contexts' weight whose points are drawn; the others are thousands."""
_CONTEXTS = (
    replace(NEAREST, label="of contexts chosen by distance"),
    replace(RELEVANT, label="of contexts chosen by relevance"),
    replace(BOTH, label="of contexts chosen by both"),
)


@dataclass(frozen=True)
class _Points:
    """Where a person, and every context, sampled the memory in one layer.

    Attributes:
        own: (n, 2) points of the subject; ``own_weights`` (n,).
        contexts: (M, n, 2); ``context_weights`` (M, n), of sum 1 for each.
        reference: (2,) of the subject.
        taken: contexts taken in by the layer, or None.
    """

    own: Tensor
    own_weights: Tensor
    contexts: Tensor
    context_weights: Tensor
    reference: Tensor
    taken: TakenIn | None


def draw(material: Material) -> Iterator[Drawing]:
    """A person each, in the last decoder layer: alone, and with contexts where the layer takes any in."""
    for number, sample in material.drawn():
        look = material.model.look(sample)
        if look.seen.sampling is None:
            raise Absent(look.seen.no_sampling)
        for person in range(min(material.people, len(look.people))):
            points = _points(look, int(look.people.query[person]))
            box, photo = look.people.pred_boxes.tensor[person], sample.photo
            panels = 1 if points.taken is None else 2

            def paint(
                figure: Any,
                points: _Points = points,
                box: Tensor = box,
                photo: Photo = photo,
                color: str = look.color(person),
                panels: int = panels,
            ) -> None:
                alone, *others = figure.subplots(1, panels, squeeze=False)[0]
                for axes in (alone, *others):
                    put_picture(axes, photo, faded=True)
                    put_box(axes, box, photo, color)
                for axes in others:
                    _put_contexts(axes, points)
                    axes.set_title("With the contexts taken in")
                for axes in (alone, *others):
                    most = float(points.own_weights.max())
                    put_points(axes, points.own, points.own_weights, most, OWN, _SMALLEST, _LARGEST)
                    put_reference(axes, points.reference)
                alone.set_title("Sampling points of the person alone")
                legend_below(figure, REFERENCE, OWN, *(_CONTEXTS if others else ()))

            yield Drawing(
                f"sampling_{number}_person_{person + 1}",
                paint,
                (_WIDTH * panels if panels > 1 else _WIDTH + 1.2, panel_inches(photo, _WIDTH) + 0.95),
                "Where the last decoder layer samples the picture for one person, all heads and levels: alone"
                + (
                    f", and with those of the contexts that it takes in, which carry {100 * _CARRIED:.0f} % of their "
                    "attention weight times weight of the context, by which they are sized."
                    if panels > 1
                    else "; this layer takes in no contexts."
                ),
                [sample.name],
            )


def _put_contexts(axes: Any, points: _Points) -> None:
    taken = points.taken
    assert taken is not None
    weights = points.context_weights * taken.weights[:, None]
    most = float(weights.max())
    drawn = weights >= _least(weights)
    near, relevant = taken.nearest[:, None], taken.relevant[:, None]
    for symbol, chosen in zip(_CONTEXTS, (near & ~relevant, relevant & ~near, near & relevant)):
        shown = drawn & chosen
        put_points(axes, points.contexts[shown], weights[shown], most, symbol, _SMALLEST, _LARGEST)


def _least(weights: Tensor) -> float:
    """The weight from which on points carry ``_CARRIED`` of all weight."""
    order = weights.flatten().sort(descending=True).values
    enough = int((order.cumsum(0) < _CARRIED * order.sum()).sum())
    return float(order[min(enough, len(order) - 1)])


def _points(look: Look, query: int) -> _Points:
    assert look.seen.sampling is not None
    sampling, contexts, last = look.seen.sampling[-1], look.seen.num_contexts, len(look.seen.layers) - 1
    locations = sampling.locations[0].float().cpu().flatten(1, -2)  # (Q, H * V * P, 2)
    weights = sampling.weights[0].float().cpu().flatten(1)
    weights = weights / weights.sum(-1, keepdim=True).clamp(min=torch.finfo(weights.dtype).tiny)
    return _Points(
        own=locations[contexts + query],
        own_weights=weights[contexts + query],
        contexts=locations[:contexts],
        context_weights=weights[:contexts],
        reference=look.seen.layers[last].subject_references[0, query, :2].float().cpu(),
        taken=taken_in(look.seen, last, query),
    )
