"""Re-weightings: what the softmax over a subject's chosen contexts runs over (paper Table 7), one function each.

The paper names four. It gives ``spatial`` and ``attentive`` no formula; those two are our reading. A further one is a
function below, or in a module that a config imports, under ``@register_reweighting()``; its name is then a value of
``model.aggregation.reweighting``.

Shapes: B images, N subject queries, M context queries, C channels.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from dsct_detrex.dsct.choices import squared_distance
from dsct_detrex.dsct.named_functions import check_name_is_free, find_by_name


class Pairs(NamedTuple):
    """Every subject beside every context, as a re-weighting sees them.

    Attributes:
        subjects: (B, N, C) states E_S; under ``learned=True`` what a trained linear layer makes of them.
        contexts: (B, M, C) states E_C, likewise.
        products: (B, N, M) dot products of the states themselves, over sqrt(C) under ``scale_products``.
        subject_xy: (B, N, 2) reference points, xy in [0, 1].
        context_xy: (B, M, 2) reference points in the same frame.
    """

    subjects: Tensor
    contexts: Tensor
    products: Tensor
    subject_xy: Tensor
    context_xy: Tensor


Relevance = Callable[[Pairs], Tensor]
"""From pairs to (B, N, M) numbers; the larger, the more weight."""


class Reweighting(NamedTuple):
    """An entry of ``REWEIGHTINGS``.

    Attributes:
        relevance: what the softmax runs over.
        learned: states go through trained projections before ``relevance`` sees them.
        by_distance: it reads the reference points.
        by_product: it reads the dot products of the states themselves.
    """

    relevance: Relevance
    learned: bool
    by_distance: bool
    by_product: bool


REWEIGHTINGS: dict[str, Reweighting] = {}
"""Every known re-weighting by name, in the order of registration."""


def register_reweighting(
    learned: bool = False, by_distance: bool = False, by_product: bool = True
) -> Callable[[Relevance], Relevance]:
    """Make a function known as the re-weighting of its name.

    Args:
        learned: give it trained projections of subjects and contexts instead of their states.
        by_distance: it reads the reference points, so that ``model.distance_frame`` counts.
        by_product: it may read ``products``, so that ``model.aggregation.scale_products`` counts.

    Raises:
        UserError: the name is taken by another function.
    """

    def register(relevance: Relevance) -> Relevance:
        name = relevance.__name__
        known = REWEIGHTINGS.get(name)
        check_name_is_free(relevance, known and known.relevance, "register_reweighting()")
        REWEIGHTINGS[name] = Reweighting(relevance, learned, by_distance, by_product)
        return relevance

    return register


def find_reweighting(name: str) -> Reweighting:
    """The re-weighting of a name.

    Raises:
        UserError: there is none; the message lists those there are.
    """
    return find_by_name(REWEIGHTINGS, name, "RelationalAggregation(reweighting=)")


@register_reweighting()
def semantic(pairs: Pairs) -> Tensor:
    """Dot products of the states (Eq. 8)."""
    return pairs.products


@register_reweighting(by_product=False)
def equal(pairs: Pairs) -> Tensor:
    """The same weight for every chosen context."""
    return torch.zeros_like(pairs.products)


@register_reweighting(by_distance=True, by_product=False)
def spatial(pairs: Pairs) -> Tensor:
    """Negative distance of the reference points, in image units."""
    return -squared_distance(pairs.subject_xy, pairs.context_xy).sqrt()


@register_reweighting(learned=True, by_product=False)
def attentive(pairs: Pairs) -> Tensor:
    """Scaled dot product of projections that train for this alone."""
    scaled: Tensor = pairs.subjects @ pairs.contexts.transpose(1, 2) / pairs.subjects.shape[-1] ** 0.5
    return scaled
