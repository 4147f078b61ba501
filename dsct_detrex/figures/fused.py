"""What a person took in, in one layer: contexts with their places, weights, and which list chose them."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from dsct_detrex.dsct import DSCT, Observation
from dsct_detrex.figures.contracts import Absent
from dsct_detrex.figures.looking import Looking


@dataclass(frozen=True)
class TakenIn:
    """The contexts of one subject query in one layer.

    Attributes:
        places: (M, 2) xy in [0, 1] of the picture, of all contexts.
        weights: (M,), 0 where not chosen.
        nearest: (M,) bool, chosen by distance.
        relevant: (M,) bool, chosen by relevance.
        place: (2,) of the subject itself.
    """

    places: Tensor
    weights: Tensor
    nearest: Tensor
    relevant: Tensor
    place: Tensor


def taken_in(seen: Observation, layer: int, query: int) -> TakenIn | None:
    """Of subject ``query`` of the only picture in a batch; None where the layer does not fuse."""
    aggregation, places = seen.layers[layer].aggregation, seen.places[layer]
    if aggregation is None or places is None:
        return None
    contexts = seen.num_contexts
    return TakenIn(
        places=places[0, :contexts].float().cpu(),
        weights=aggregation.weights[0, query].float().cpu(),
        nearest=aggregation.nearest.mask[0, query].cpu(),
        relevant=aggregation.relevant.mask[0, query].cpu(),
        place=places[0, contexts + query].float().cpu(),
    )


def no_contexts(model: Looking) -> Absent | None:
    """Why a model takes in no contexts; None where it does."""
    dsct: DSCT = model.model
    if not dsct.decoder.use_contexts:
        return Absent("this model was trained without context queries (model.use_contexts=False).")
    if all(layer.aggregation is None for layer in dsct.decoder.layers):
        return Absent("no layer of this model fuses contexts into subjects (model.aggregation=null).")
    if not dsct.decoder.takes_in_contexts:
        return Absent(
            "the fusion of this model chooses no contexts (model.aggregation.gather=self, or both its lists are off)."
        )
    return None
