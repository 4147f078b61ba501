"""Contexts of a person chosen by distance and by relevance, sized by weight, layer by layer (paper Figure 10)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import Tensor

from dsct_detrex.counting import counted
from dsct_detrex.data.images import Photo
from dsct_detrex.figures.contracts import Drawing, Material
from dsct_detrex.figures.fused import TakenIn, no_contexts, taken_in
from dsct_detrex.figures.ground import (
    NEAREST,
    REFERENCE,
    RELEVANT,
    Symbol,
    legend_below,
    panel_inches,
    put_box,
    put_picture,
    put_points,
    put_reference,
)

_WIDTH = 3.1


def draw(material: Material) -> Iterator[Drawing]:
    """A person each: a column for every layer, a row for each of the two choices."""
    absent = no_contexts(material.model)
    if absent is not None:
        raise absent
    for number, sample in material.drawn():
        look = material.model.look(sample)
        for person in range(min(material.people, len(look.people))):
            query = int(look.people.query[person])
            layers = [taken_in(look.seen, index, query) for index in range(len(look.seen.layers))]
            box, photo = look.people.pred_boxes.tensor[person], sample.photo

            def paint(
                figure: Any,
                layers: list[TakenIn | None] = layers,
                box: Tensor = box,
                photo: Photo = photo,
                color: str = look.color(person),
            ) -> None:
                rows = figure.subplots(2, len(layers), squeeze=False)
                for column, layer in enumerate(layers):
                    for axes, symbol in zip(rows[:, column], (NEAREST, RELEVANT)):
                        put_picture(axes, photo, faded=True)
                        put_box(axes, box, photo, color)
                        if layer is not None:
                            _put(axes, layer, symbol)
                        axes.set_xlabel(_said(layer, symbol))
                    rows[0, column].set_title(f"Layer {column + 1}")
                legend_below(figure, REFERENCE, NEAREST, RELEVANT)

            yield Drawing(
                f"contexts_{number}_person_{person + 1}",
                paint,
                (_WIDTH * len(layers), 2 * (panel_inches(photo, _WIDTH) + 0.28) + 0.7),
                f"Contexts that subject query {query} took in for one person in every decoder layer, by distance above "
                "and by relevance below; the larger a point, the larger its weight in that layer.",
                [sample.name],
            )


def _put(axes: Any, layer: TakenIn, symbol: Symbol) -> None:
    chosen = layer.nearest if symbol is NEAREST else layer.relevant
    put_points(axes, layer.places[chosen], layer.weights[chosen], float(layer.weights.max()), symbol)
    put_reference(axes, layer.place)


def _said(layer: TakenIn | None, symbol: Symbol) -> str:
    if layer is None:
        return "this layer takes in no contexts"
    chosen = layer.nearest if symbol is NEAREST else layer.relevant
    share = float(layer.weights[chosen].sum() / layer.weights.sum().clamp(min=1e-9))
    how = "near" if symbol is NEAREST else "relevant"
    return f"{counted(int(chosen.sum()), f'{how} context')}: {100 * share:.0f} % of the weight"
