"""Reference point and sampling points of a person, alone and with the person's contexts (paper Figure 8)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dsct_detrex.data.images import Photo
from dsct_detrex.figures.contracts import Absent, Drawing, Material
from dsct_detrex.figures.fused import TakenIn, taken_in
from dsct_detrex.figures.ground import (
    BOTH,
    NEAREST,
    REFERENCE,
    RELEVANT,
    SUBJECT,
    legend_below,
    panel_inches,
    person_color,
    put_box,
    put_picture,
    put_points,
    put_reference,
)
from dsct_detrex.figures.looking import Look

_WIDTH = 4.8
_OF_CONTEXTS, _OF_THE_PERSON = 70.0, 60.0
"""Areas of the largest points, square points of paper."""


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
                person: int = person,
                panels: int = panels,
            ) -> None:
                alone, *others = figure.subplots(1, panels, squeeze=False)[0]
                for axes in (alone, *others):
                    put_picture(axes, photo, faded=True)
                    put_box(axes, box, photo, person_color(person))
                for axes in others:
                    _put_contexts(axes, points)
                    axes.set_title("With the contexts taken in")
                for axes in (alone, *others):
                    most = float(points.own_weights.max())
                    put_points(axes, points.own, points.own_weights, most, SUBJECT, _OF_THE_PERSON)
                    put_reference(axes, points.reference)
                alone.set_title("Sampling points of the person alone")
                legend_below(figure, REFERENCE, SUBJECT, *((NEAREST, RELEVANT, BOTH) if others else ()))

            yield Drawing(
                f"sampling_{number}_person_{person + 1}",
                paint,
                (_WIDTH * panels if panels > 1 else _WIDTH + 1.2, panel_inches(photo, _WIDTH) + 0.75),
                "Where the last decoder layer samples the picture for one person, all heads and levels: alone"
                + (
                    ", and with the sampling points of the contexts that it takes in, sized by attention weight times "
                    "weight of the context."
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
    only = (
        (NEAREST, taken.nearest & ~taken.relevant),
        (RELEVANT, taken.relevant & ~taken.nearest),
        (BOTH, taken.nearest & taken.relevant),
    )
    for symbol, chosen in only:
        put_points(axes, points.contexts[chosen].flatten(0, 1), weights[chosen].flatten(), most, symbol, _OF_CONTEXTS)


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
