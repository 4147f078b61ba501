"""Spatial-semantic relational aggregation: how a subject query takes in context queries (paper section 3.2, Eq. 6-8).

Every subject chooses the K_sp context queries nearest in space (Eq. 6) and the K_sm most relevant in meaning (Eq. 7),
weighs the chosen by relevance, and adds their weighted sum to itself (Eq. 8). Paper and released code differ in how
the two choices are weighed; both are here under their names:

* ``paper``: one softmax over all K_sp + K_sm choices; a context that both lists chose counts twice.
* ``official`` (``models/deformable_transformer_dsct.py``): one softmax per list, both sums added, plus a third term,
  softmax attention of the subjects over all subjects including themselves.

Both take the contexts with the *largest* dot products; the paper's text says "smallest", its argument and its code say
largest. ``semantic_order="smallest"`` offers the text's reading.

Nothing of shape (B, N, M, C) is ever made: all dot products are one matrix product, the choices are masks on it, and
the weighted sum is a second matrix product.

Shapes: B images, N subject queries, M context queries, C channels.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn

from dsct_detrex.dsct.reweighting import REWEIGHTINGS, Pairs, find_reweighting, squared_distance

Formula = Literal["official", "paper"]
SemanticOrder = Literal["largest", "smallest"]


class Aggregation(NamedTuple):
    """What aggregation did, returned rather than kept on the module so that pictures can be drawn from it.

    Attributes:
        subjects: (B, N, C) subject states with the contexts added.
        weights: (B, N, M) total weight of every context; 0 where not chosen.
        spatial_index: (B, N, K_sp) int64 chosen contexts, nearest first.
        semantic_index: (B, N, K_sm) int64 chosen contexts, in ``semantic_order``.
    """

    subjects: Tensor
    weights: Tensor
    spatial_index: Tensor
    semantic_index: Tensor


def nearest_contexts(subject_xy: Tensor, context_xy: Tensor, k: int) -> Tensor:
    """The k contexts closest to every subject (Eq. 6), nearest first; among equals the lower index first.

    Args:
        subject_xy: (B, N, 2) reference points, xy in [0, 1].
        context_xy: (B, M, 2) reference points in the same frame.
        k: number kept, 0 <= k; clamped to M.

    Returns:
        (B, N, min(k, M)) int64 indices into M.
    """
    return squared_distance(subject_xy, context_xy).argsort(dim=-1, stable=True)[..., :k]


def relevant_contexts(products: Tensor, k: int, order: SemanticOrder = "largest") -> Tensor:
    """The k contexts with the largest (or smallest) dot product (Eq. 7); among equals the lower index first.

    Args:
        products: (B, N, M) dot products of subject and context states.
        k: number kept, 0 <= k; clamped to M.

    Returns:
        (B, N, min(k, M)) int64 indices into M.
    """
    return products.argsort(dim=-1, descending=order == "largest", stable=True)[..., :k]


def _counts(index: Tensor, num_context: int) -> Tensor:
    """(B, N, K) indices -> (B, N, M) float, 1 where chosen."""
    chosen = torch.zeros(*index.shape[:2], num_context, device=index.device)
    return chosen.scatter_(-1, index, 1.0)


def _weighted_softmax(scores: Tensor, counts: Tensor) -> Tensor:
    """Softmax over the last dimension in which an entry takes part ``counts`` times (0 = not at all).

    Taking part twice is one more log(2) in the exponent.
    """
    scores = _at_least_float32(scores) + counts.log()
    return scores.softmax(-1)


def _at_least_float32(scores: Tensor) -> Tensor:
    return scores.to(torch.promote_types(scores.dtype, torch.float32))


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

    def forward(
        self,
        subjects: Tensor,
        contexts: Tensor,
        subject_xy: Tensor,
        context_xy: Tensor,
        subject_mask: Tensor | None = None,
    ) -> Aggregation:
        """Fuse contexts into subjects.

        Args:
            subjects: (B, N, C) states E_S.
            contexts: (B, M, C) states E_C.
            subject_xy: (B, N, 2) reference points, xy in [0, 1].
            context_xy: (B, M, 2) reference points in the same frame.
            subject_mask: (N, N) or (B, N, N) bool, True where a subject must not see another (``official`` only).
        """
        products = subjects @ contexts.transpose(1, 2)
        spatial = nearest_contexts(subject_xy, context_xy, self.k_spatial)
        semantic = relevant_contexts(products.detach(), self.k_semantic, self.semantic_order)
        pairs = Pairs(*self.projected(subjects, contexts), products, subject_xy, context_xy)
        weights = self.context_weights(self.relevance(pairs), spatial, semantic).to(contexts.dtype)
        gathered = weights @ contexts
        if self.formula == "official":
            gathered = gathered + self.attend_subjects(subjects, subject_mask)
        return Aggregation(subjects + gathered, weights, spatial, semantic)

    @staticmethod
    def reweighting_reads(name: str) -> set[str]:
        """What of ``embed_dim`` and ``distance_frame`` counts for a re-weighting; both for a name that is unknown."""
        known = REWEIGHTINGS.get(name)
        counts = {"embed_dim": known is None or known.learned, "distance_frame": known is None or known.by_distance}
        return {argument for argument, read in counts.items() if read}

    def projected(self, subjects: Tensor, contexts: Tensor) -> tuple[Tensor, Tensor]:
        """(B, N, C) and (B, M, C) as the re-weighting sees them: the states, or what its projections make of them."""
        return (self.query_proj(subjects), self.key_proj(contexts)) if self.learned else (subjects, contexts)

    def context_weights(self, relevance: Tensor, spatial: Tensor, semantic: Tensor) -> Tensor:
        """(B, N, M) weights of Eq. 8 under either formula."""
        num_context = relevance.shape[-1]
        lists = [_counts(index, num_context) for index in (spatial, semantic) if index.shape[-1]]
        if not lists:
            return torch.zeros_like(relevance)
        if self.formula == "paper":
            return _weighted_softmax(relevance, torch.stack(lists).sum(0))
        return torch.stack([_weighted_softmax(relevance, counts) for counts in lists]).sum(0)

    @staticmethod
    def attend_subjects(subjects: Tensor, mask: Tensor | None) -> Tensor:
        """(B, N, C) the official code's third term: unscaled softmax attention of the subjects over themselves."""
        scores = _at_least_float32(subjects @ subjects.transpose(1, 2))
        if mask is not None:
            scores = scores.masked_fill(mask, -torch.inf)
        attended: Tensor = scores.softmax(-1).to(subjects.dtype) @ subjects
        return attended

    def extra_repr(self) -> str:
        return (
            f"formula={self.formula}, k_spatial={self.k_spatial}, k_semantic={self.k_semantic}, "
            f"semantic_order={self.semantic_order}, reweighting={self.reweighting}"
        )


def _expect(name: str, value: str, choice: Any) -> None:
    known = get_args(choice)
    if value not in known:
        raise ValueError(f"RelationalAggregation({name}=) expects one of {', '.join(known)}. Got {value!r}.")
