"""Spatial-semantic relational aggregation: how a subject query takes in context queries (paper section 3.2, Eq. 6-8).

Every subject chooses the K_sp context queries nearest in space (Eq. 6) and the K_sm most relevant in meaning (Eq. 7),
weighs the chosen by relevance, and adds their weighted sum to itself (Eq. 8). Paper and released code differ in how
the two choices are weighed; both are in ``formulas.py`` under their names, beside a third of ours:

* ``paper``: one softmax over all K_sp + K_sm choices; a context that both lists chose counts twice.
* ``official`` (``models/deformable_transformer_dsct.py``): one softmax per list, both sums added, plus a third term,
  softmax attention of the subjects over all subjects including themselves.
* ``multi_head``: attention of several heads, restricted to the chosen contexts.

Both readings of the paper take the contexts with the *largest* dot products; the paper's text says "smallest", its
argument and its code say largest. ``semantic_order="smallest"`` offers the text's reading.

Three switches go with every formula: dot products over sqrt(C), without which a softmax over layer-normed states is
nearly one-hot; a zero-initialised projection of what is gathered; and the control, which has the same weights and
gathers nothing, so that a gain can be attributed to contexts.

Nothing of shape (B, N, M, C) is ever made, and nothing is sorted: all dot products are one matrix product, a list is
what is added to them before its softmax, and the weighted sum is a second matrix product. The subjects stand behind the
contexts in both, so that the third term and the control are lists like others.

Shapes: B images, N subject queries, M context queries, Q = M + N (contexts first), L lists, C channels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from dsct_detrex.dsct.choices import Choice, Places
from dsct_detrex.dsct.formulas import FORMULAS, Softmax, find_formula
from dsct_detrex.dsct.multi_head import RelationalHeads
from dsct_detrex.dsct.reweighting import REWEIGHTINGS, Pairs, find_reweighting

SemanticOrder = Literal["largest", "smallest"]
Gather = Literal["contexts", "self"]


@dataclass(frozen=True)
class Aggregation:
    """What aggregation did, returned rather than kept on the module so that pictures can be drawn from it.

    Attributes:
        queries: (B, Q, C) states; contexts as they came, subjects with the contexts added.
        weights: (B, N, M) total weight of every context, 0 where not chosen, the mean where there are heads; to look
            at, without a gradient.
        nearest: the choice by distance (Eq. 6); nobody where only oneself is gathered.
        relevant: the choice by dot product (Eq. 7); likewise.
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
    """Eq. 6-8 as one module. As printed and as released it owns no parameters.

    Args:
        formula: ``official``, one softmax per list, both sums added, and attention among the subjects; ``paper``, one
            softmax over both lists; ``multi_head``, attention of several heads to the contexts of both lists; or one of
            your own (``formulas.FORMULAS``).
        k_spatial: K_sp, contexts chosen by distance; 0 switches the spatial list off. More than there are takes all.
        k_semantic: K_sm, contexts chosen by dot product; 0 switches the semantic list off.
        semantic_order: which end of the dot products the semantic list takes.
        reweighting: what the softmax runs over (paper Table 7), a name of ``reweighting.REWEIGHTINGS``: ``semantic``
            dot products, ``equal``, ``spatial`` or ``attentive``; or one of your own. Heads have products of their own.
        embed_dim: C, needed where there are weights: a learned re-weighting, a projection, heads.
        scale_products: dot products of states over sqrt(C) in every softmax, those of subjects among themselves too.
            Heads always scale theirs.
        project: a linear layer in front of the sum, its weight and bias zero at first, so that a fresh model equals one
            without fusion. Heads always have it.
        num_heads: of ``multi_head``.
        gather: ``contexts``; or ``self``, the control: every softmax gives all its weight to the subject itself, so
            that the same parameters stand there and nothing comes from anybody else, neither contexts nor subjects. As
            printed, a subject is then added to itself; as released, once for each of the three sums.

    Raises:
        ValueError: an unknown order or what to gather, a negative K, or heads that do not share C.
        UserError: an unknown formula or re-weighting; the message lists those there are.
    """

    def __init__(
        self,
        formula: str = "official",
        k_spatial: int = 100,
        k_semantic: int = 50,
        semantic_order: SemanticOrder = "largest",
        reweighting: str = "semantic",
        embed_dim: int = 256,
        scale_products: bool = False,
        project: bool = False,
        num_heads: int = 8,
        gather: Gather = "contexts",
    ) -> None:
        super().__init__()
        _expect("semantic_order", semantic_order, SemanticOrder)
        _expect("gather", gather, Gather)
        for name, k in (("k_spatial", k_spatial), ("k_semantic", k_semantic)):
            if k < 0:
                raise ValueError(f"RelationalAggregation({name}=) expects an int >= 0 (0 = off). Got {k}.")
        self.formula = formula
        self.k_spatial = k_spatial
        self.k_semantic = k_semantic
        self.semantic_order: SemanticOrder = semantic_order
        self.reweighting = reweighting
        self.scale_products = scale_products
        self.gather = gather
        self.softmaxes_of, heads = find_formula(formula)
        weighing = find_reweighting(reweighting)
        self.relevance, self.learned = weighing.relevance, weighing.learned and not heads
        if self.learned:
            self.query_proj = nn.Linear(embed_dim, embed_dim)
            self.key_proj = nn.Linear(embed_dim, embed_dim)
        self.heads = RelationalHeads(embed_dim, num_heads) if heads else None
        self.out_proj = nn.Linear(embed_dim, embed_dim) if project or heads else None
        if self.out_proj is not None:
            nn.init.zeros_(self.out_proj.weight)
            nn.init.zeros_(self.out_proj.bias)

    def forward(self, queries: Tensor, places: Places, subject_mask: Tensor | None = None) -> Aggregation:
        """Fuse contexts into subjects.

        Args:
            queries: (B, Q, C) states: E_C, then E_S.
            places: where they are.
            subject_mask: (N, N) or (B, N, N) bool, True where a subject must not see another (``official`` only).
        """
        m = places.num_contexts
        contexts, subjects = torch.split(queries, [m, queries.shape[1] - m], 1)
        products = self.products(queries, m)
        nearest, relevant = self.choices(products, places)
        lists = self.lists(products, nearest, relevant, subject_mask)
        gathered, weights = self.gathered(queries, products, lists, places)
        gathered = gathered if self.out_proj is None else self.out_proj(gathered)
        fused = torch.cat([contexts, subjects + gathered], 1)
        if self.gather == "self":
            nearest, relevant = nearest.emptied(), relevant.emptied()
        return Aggregation(fused, weights[..., :m].detach(), nearest, relevant, places)

    @property
    def takes_in_contexts(self) -> bool:
        """Whether anything of a context enters a subject."""
        return self.gather == "contexts" and bool(self.k_spatial or self.k_semantic)

    def products(self, queries: Tensor, m: int) -> Tensor:
        """(B, N, Q) dot products of subjects with all queries, of which the first M are contexts."""
        products = queries[:, m:] @ queries.transpose(1, 2)
        return products * self.scale(queries.shape[-1]) if self.scale_products else products

    def scale(self, channels: int) -> float:
        """What dot products of states of so many channels are multiplied by."""
        return float(channels**-0.5) if self.scale_products else 1.0

    def choices(self, products: Tensor, places: Places) -> tuple[Choice, Choice]:
        """The contexts nearest in space and most relevant in meaning; ``products`` (B, N, Q)."""
        scores = products[..., : places.num_contexts].detach()
        return places.nearest(self.k_spatial), Choice(scores, self.k_semantic, self.semantic_order == "largest")

    def softmaxes(self, nearest: Choice, relevant: Choice) -> list[Softmax]:
        """Who shares the L softmaxes: as the formula says, or everybody alone."""
        softmaxes = self.softmaxes_of([choice.mask for choice in (nearest, relevant) if choice.k > 0])
        return [Softmax(own=True)] * len(softmaxes) if self.gather == "self" else softmaxes

    def lists(self, products: Tensor, nearest: Choice, relevant: Choice, subject_mask: Tensor | None) -> Tensor:
        """(L, B, N, Q) what every softmax adds: 0 where a query takes part, -inf where not.

        Taking part twice is one more log(2) in the exponent.
        """
        softmaxes = self.softmaxes(nearest, relevant)
        dtype = torch.promote_types(products.dtype, torch.float32)
        lists = products.new_full((len(softmaxes), *products.shape), -torch.inf, dtype=dtype)
        contexts, subjects = torch.split(lists, [nearest.scores.shape[-1], products.shape[1]], -1)
        for softmax, of_contexts, of_subjects in zip(softmaxes, contexts, subjects):
            if softmax.contexts is not None:
                of_contexts.masked_fill_(softmax.contexts, 0)
            if softmax.twice is not None:
                of_contexts.masked_fill_(softmax.twice, math.log(2))
            if softmax.subjects:
                of_subjects.masked_fill_(~subject_mask, 0) if subject_mask is not None else of_subjects.zero_()
            if softmax.own:
                of_subjects.diagonal(dim1=-2, dim2=-1).zero_()
        return lists

    def gathered(self, queries: Tensor, products: Tensor, lists: Tensor, places: Places) -> tuple[Tensor, Tensor]:
        """(B, N, C) the sum of what all softmaxes gather, and (B, N, Q) their weights."""
        if self.heads is not None:
            of_heads: tuple[Tensor, Tensor] = self.heads(queries, lists)
            return of_heads
        weights = (self.relevance_of(queries, products, places) + lists).softmax(-1).sum(0)
        return weights.to(queries.dtype) @ queries, weights

    def exponents(self, queries: Tensor, places: Places) -> Tensor:
        """(B, H, N, Q) what the softmaxes of a call run over, before lists; H heads, or 1. To look at."""
        m = places.num_contexts
        if self.heads is not None:
            return self.heads.products(queries, queries.shape[1] - m)
        return self.relevance_of(queries, self.products(queries, m), places)[:, None]

    @staticmethod
    def reads(given: Mapping[str, Any]) -> set[str]:
        """Which of some arguments count beside the others; all of them under a name that is unknown.

        Args:
            given: arguments of the constructor; what it leaves out has its default.

        Returns:
            names out of ``reweighting``, ``scale_products``, ``project``, ``num_heads``, ``embed_dim``, and
            ``distance_frame``, by which contexts are weighed (which are chosen is up to ``k_spatial``).
        """
        formula = FORMULAS.get(given.get("formula", "official"))
        weighing = REWEIGHTINGS.get(given.get("reweighting", "semantic"))
        heads = formula is not None and formula.heads
        chooses = bool(given.get("k_spatial", 1) or given.get("k_semantic", 1))
        among_contexts = chooses and (weighing is None or weighing.by_product)
        among_subjects = formula is None or formula.among_subjects
        counts = {
            "reweighting": not heads,
            "scale_products": not heads and (among_subjects or among_contexts),
            "project": not heads,
            "num_heads": formula is None or heads,
            "embed_dim": heads or bool(given.get("project")) or weighing is None or weighing.learned,
            "distance_frame": not heads and (weighing is None or weighing.by_distance),
        }
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
            f"semantic_order={self.semantic_order}, reweighting={self.reweighting}, "
            f"scale_products={self.scale_products}, gather={self.gather}"
        )


def _expect(name: str, value: str, choice: Any) -> None:
    known = get_args(choice)
    if value not in known:
        raise ValueError(f"RelationalAggregation({name}=) expects one of {', '.join(known)}. Got {value!r}.")
