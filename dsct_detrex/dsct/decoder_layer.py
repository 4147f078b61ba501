"""One decoder layer of DSCT: a host's base layer, opened at its middle for fusion (paper section 3.2, Figure 4).

The host's layer runs self-attention and cross-attention over contexts and subjects together; then every subject
gathers its contexts; then the host's FFN runs over all queries again. The paper says that aggregation comes "before
output" of the layer, the official code puts it between cross-attention and FFN; ``placement="after_ffn"`` offers the
other reading.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from dsct_detrex.dsct.relational_aggregation import Aggregation, RelationalAggregation

Placement = Literal["before_ffn", "after_ffn"]


@dataclass(frozen=True)
class FusionInputs:
    """What fusion needs besides the states; bound by value so that a recomputed layer sees the same.

    Attributes:
        points: (B, Q, 2) xy reference points, contexts first.
        num_contexts: M.
        subject_mask: (S, S) bool, True = blocked, or None.
    """

    points: Tensor
    num_contexts: int
    subject_mask: Tensor | None


class DSCTDecoderLayer(nn.Module):
    """Runs a base layer of the host and fuses contexts into subjects inside it.

    The base layer is an argument, not a child: its parameters stay where the host keeps them.

    Args:
        aggregation: how subjects gather contexts; None: this layer does not fuse.
        placement: ``before_ffn`` (official) or ``after_ffn``.
        batch_first: layout of the base layer, [B, Q, C] or [Q, B, C].

    Raises:
        ValueError: an unknown placement.
    """

    def __init__(
        self,
        aggregation: RelationalAggregation | None,
        placement: Placement = "before_ffn",
        batch_first: bool = True,
    ) -> None:
        super().__init__()
        if placement not in ("before_ffn", "after_ffn"):
            raise ValueError(f"DSCTDecoderLayer(placement=) expects before_ffn or after_ffn. Got {placement!r}.")
        self.aggregation = aggregation
        self.placement = placement
        self.batch_first = batch_first

    def forward(
        self,
        base: nn.Module,
        content: Tensor,
        keywords: dict[str, Any],
        attention_mask: Tensor | None,
        fusion: FusionInputs,
    ) -> tuple[Tensor, Aggregation | None]:
        """Run one layer.

        Args:
            base: the host's layer (detrex's ``BaseTransformerLayer`` interface).
            content: states of all queries in the host's layout, contexts first.
            keywords: what the layer receives besides (the adapter's ``step``).
            attention_mask: (Q, Q) bool for self-attention, True = blocked, or None.
            fusion: see ``FusionInputs``.

        Returns:
            The states that leave the layer, and what was aggregated (None where nothing was).
        """
        aggregated: list[Aggregation] = []

        def fuse(content: Tensor) -> Tensor:
            content, aggregation = self.fuse(content, fusion)
            if aggregation is not None:
                aggregated.append(aggregation)
            return content

        before = self.placement == "before_ffn"
        content = run_base_layer(base, content, keywords, attention_mask, middle=fuse if before else None)
        content = content if before else fuse(content)
        return content, aggregated[0] if aggregated else None

    def fuse(self, content: Tensor, fusion: FusionInputs) -> tuple[Tensor, Aggregation | None]:
        """Split queries into contexts and subjects, aggregate, and join them; contexts leave unchanged."""
        m = fusion.num_contexts
        queries = content if self.batch_first else content.transpose(0, 1)
        if self.aggregation is None or m == 0 or queries.shape[1] == m:
            return content, None
        contexts, subjects = queries[:, :m], queries[:, m:]
        points = fusion.points
        aggregation = self.aggregation(subjects, contexts, points[:, m:], points[:, :m], fusion.subject_mask)
        queries = torch.cat([contexts, aggregation.subjects], 1)
        return (queries if self.batch_first else queries.transpose(0, 1)), aggregation


def run_base_layer(
    base: Any,
    content: Tensor,
    keywords: dict[str, Any],
    attention_mask: Tensor | None,
    middle: Callable[[Tensor], Tensor] | None,
) -> Tensor:
    """Self-attention, norm, cross-attention, norm, ``middle``, FFN, norm, through the base layer's own submodules."""
    keywords = dict(keywords)
    query_pos, key_pos = keywords.pop("query_pos", None), keywords.pop("key_pos", None)
    key, value = keywords.pop("key", None), keywords.pop("value")
    memory_mask = keywords.pop("key_padding_mask", None)
    self_attention, cross_attention = base.attentions
    content = self_attention(
        content,
        content,
        content,
        None,
        query_pos=query_pos,
        key_pos=query_pos,
        attn_mask=attention_mask,
        key_padding_mask=None,
        **keywords,
    )
    content = base.norms[0](content)
    content = cross_attention(
        content,
        key,
        value,
        None,
        query_pos=query_pos,
        key_pos=key_pos,
        attn_mask=None,
        key_padding_mask=memory_mask,
        **keywords,
    )
    content = base.norms[1](content)
    content = content if middle is None else middle(content)
    content = base.norms[2](base.ffns[0](content, None))
    return content
