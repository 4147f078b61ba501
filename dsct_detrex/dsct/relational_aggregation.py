"""Spatial-semantic relational aggregation: how a subject query takes in context queries (paper section 3.2, Eq. 6-8).

Every subject chooses the K_sp context queries nearest in space (Eq. 6) and the K_sm most relevant in meaning (Eq. 7),
weighs the chosen by relevance, and adds their weighted sum to itself (Eq. 8). Paper and released code differ in how
the two choices are weighed; both are here under their names:

* ``paper``: one softmax over all K_sp + K_sm choices; a context that both lists chose counts twice.
* ``official`` (``models/deformable_transformer_dsct.py``): one softmax per list, both sums added, plus a third term,
  softmax attention of the subjects over all subjects including themselves.

Both take the contexts with the *largest* dot products; the paper's text says "smallest", its argument and its code say
largest. ``semantic_order="smallest"`` offers the text's reading.

Nothing of shape (B, N, M, C) is ever made, and nothing is sorted: all dot products are one matrix product, a list is
what is added to them before its softmax, and the weighted sum is a second matrix product. The subjects stand behind the
contexts in both, so that the third term is one more list.

Shapes: B images, N subject queries, M context queries, Q = M + N (contexts first), L lists, C channels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from dsct_detrex.dsct.choices import Choice, Places
from dsct_detrex.dsct.reweighting import REWEIGHTINGS, Pairs, find_reweighting

Formula = Literal["official", "paper"]
SemanticOrder = Literal["largest", "smallest"]


@dataclass(frozen=True)
class Aggregation:
    """What aggregation did, returned rather than kept on the module so that pictures can be drawn from it.

    Attributes:
        queries: (B, Q, C) states; contexts as they came, subjects with the contexts added.
        weights: (B, N, M) total weight of every context, 0 where not chosen; to look at, without a gradient.
        nearest: the choice by distance (Eq. 6).
        relevant: the choice by dot product (Eq. 7).
        places: where the queries were taken to be.
    """

    queries: Tensor
    weights: Tensor
    nearest: Choice
    relevant: Choice
    places: Places

    @property
    def subjects(self) -> Tensor:
        """(B, N, C) of ``queries``."""
        return self.queries[:, self.weights.shape[-1] :]

    @property
    def spatial_index(self) -> Tensor:
        """(B, N, K_sp) int64 chosen contexts, nearest first."""
        return self.nearest.index

    @property
    def semantic_index(self) -> Tensor:
        """(B, N, K_sm) int64 chosen contexts, in ``semantic_order``."""
        return self.relevant.index


class RelationalAggregation(nn.Module):
    """Eq. 6-8 as one module. It owns parameters only under a learned re-weighting (``attentive``).

    Args:
        formula: ``official``, one softmax per list, both sums added, and attention among the subjects; or ``paper``,
            one softmax over both lists.
        k_spatial: K_sp, contexts chosen by distance; 0 switches the spatial list off. More than there are takes all.
        k_semantic: K_sm, contexts chosen by dot product; 0 switches the semantic list off.
        semantic_order: which end of the dot products the semantic list takes.
        reweighting: what the softmax runs over (paper Table 7), a name of ``reweighting.REWEIGHTINGS``: ``semantic``
            dot products, ``equal``, ``spatial`` or ``attentive``; or one of your own.
        embed_dim: C, needed for a learned re-weighting only.

    Raises:
        ValueError: an unknown formula or order, or a negative K.
        UserError: an unknown re-weighting; the message lists those there are.
    """

    def __init__(
        self,
        formula: Formula = "official",
        k_spatial: int = 100,
        k_semantic: int = 50,
        semantic_order: SemanticOrder = "largest",
        reweighting: str = "semantic",
        embed_dim: int = 256,
    ) -> None:
        super().__init__()
        _expect("formula", formula, Formula)
        _expect("semantic_order", semantic_order, SemanticOrder)
        for name, k in (("k_spatial", k_spatial), ("k_semantic", k_semantic)):
            if k < 0:
                raise ValueError(f"RelationalAggregation({name}=) expects an int >= 0 (0 = off). Got {k}.")
        self.formula = formula
        self.k_spatial = k_spatial
        self.k_semantic = k_semantic
        self.semantic_order: SemanticOrder = semantic_order
        self.reweighting = reweighting
        self.relevance, self.learned, _ = find_reweighting(reweighting)
        if self.learned:
            self.query_proj = nn.Linear(embed_dim, embed_dim)
            self.key_proj = nn.Linear(embed_dim, embed_dim)

    def forward(self, queries: Tensor, places: Places, subject_mask: Tensor | None = None) -> Aggregation:
        """Fuse contexts into subjects.

        Args:
            queries: (B, Q, C) states: E_C, then E_S.
            places: where they are.
            subject_mask: (N, N) or (B, N, N) bool, True where a subject must not see another (``official`` only).
        """
        m = places.num_contexts
        contexts, subjects = torch.split(queries, [m, queries.shape[1] - m], 1)
        products = subjects @ queries.transpose(1, 2)
        nearest, relevant = self.choices(products, places)
        lists = self.lists(products, nearest, relevant, subject_mask)
        weights = (self.relevance_of(queries, products, places) + lists).softmax(-1).sum(0)
        gathered = weights.to(queries.dtype) @ queries
        fused = torch.cat([contexts, subjects + gathered], 1)
        return Aggregation(fused, weights[..., :m].detach(), nearest, relevant, places)

    def choices(self, products: Tensor, places: Places) -> tuple[Choice, Choice]:
        """The contexts nearest in space and most relevant in meaning; ``products`` (B, N, Q)."""
        scores = products[..., : places.num_contexts].detach()
        return places.nearest(self.k_spatial), Choice(scores, self.k_semantic, self.semantic_order == "largest")

    def lists(self, products: Tensor, nearest: Choice, relevant: Choice, subject_mask: Tensor | None) -> Tensor:
        """(L, B, N, Q) what every softmax adds: 0 where a query takes part, -inf where not.

        Taking part twice is one more log(2) in the exponent.
        """
        chosen = [choice.mask for choice in (nearest, relevant) if choice.k > 0]
        among_subjects = self.formula == "official"
        count = len(chosen) + 1 if among_subjects else min(len(chosen), 1)
        dtype = torch.promote_types(products.dtype, torch.float32)
        lists = products.new_full((count, *products.shape), -torch.inf, dtype=dtype)
        contexts, subjects = torch.split(lists, [nearest.scores.shape[-1], products.shape[1]], -1)
        if among_subjects:
            for entries, mask in zip(contexts, chosen):
                entries.masked_fill_(mask, 0)
            subjects[-1].masked_fill_(~subject_mask, 0) if subject_mask is not None else subjects[-1].zero_()
        elif chosen:
            contexts[0].masked_fill_(chosen[0] | chosen[-1], 0)
            if len(chosen) > 1:
                contexts[0].masked_fill_(chosen[0] & chosen[1], math.log(2))
        return lists

    @staticmethod
    def reweighting_reads(name: str) -> set[str]:
        """What of ``embed_dim`` and ``distance_frame`` counts for a re-weighting; both for a name that is unknown."""
        known = REWEIGHTINGS.get(name)
        counts = {"embed_dim": known is None or known.learned, "distance_frame": known is None or known.by_distance}
        return {argument for argument, read in counts.items() if read}

    def relevance_of(self, queries: Tensor, products: Tensor, places: Places) -> Tensor:
        """(B, N, Q) what the softmax runs over: the re-weighting for contexts, dot products for subjects."""
        if self.reweighting == "semantic":
            return products
        m = places.num_contexts
        contexts, subjects = queries[:, :m], queries[:, m:]
        if self.learned:
            subjects, contexts = self.query_proj(subjects), self.key_proj(contexts)
        pairs = Pairs(subjects, contexts, products[..., :m], places.subjects, places.contexts)
        return torch.cat([self.relevance(pairs), products[..., m:]], -1)

    def extra_repr(self) -> str:
        return (
            f"formula={self.formula}, k_spatial={self.k_spatial}, k_semantic={self.k_semantic}, "
            f"semantic_order={self.semantic_order}, reweighting={self.reweighting}"
        )


def _expect(name: str, value: str, choice: Any) -> None:
    known = get_args(choice)
    if value not in known:
        raise ValueError(f"RelationalAggregation({name}=) expects one of {', '.join(known)}. Got {value!r}.")
