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

from torch import Tensor, nn

from dsct_detrex.dsct.adapters.post_norm import LayerRunner
from dsct_detrex.dsct.choices import Places
from dsct_detrex.dsct.relational_aggregation import Aggregation, RelationalAggregation

Placement = Literal["before_ffn", "after_ffn"]


@dataclass(frozen=True)
class FusionInputs:
    """What fusion needs besides the states; bound by value so that a recomputed layer sees the same.

    Attributes:
        places: states at the place of fusion (in the host's layout) -> where the queries are.
        num_contexts: M.
        subject_mask: (S, S) or (B, S, S) bool, True = blocked, or None.
    """

    places: Callable[[Tensor], Places]
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
        run_base: LayerRunner,
        content: Tensor,
        keywords: dict[str, Any],
        attention_mask: Tensor | None,
        fusion: FusionInputs,
    ) -> tuple[Tensor, Aggregation | None]:
        """Run one layer.

        Args:
            run_base: the host's layer (an adapter's ``run_layer``).
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
        content = run_base(content, keywords, attention_mask, fuse if before else None)
        content = content if before else fuse(content)
        return content, aggregated[0] if aggregated else None

    def fuse(self, content: Tensor, fusion: FusionInputs) -> tuple[Tensor, Aggregation | None]:
        """Let subjects take in contexts, which leave unchanged."""
        queries = content if self.batch_first else content.transpose(0, 1)
        if self.aggregation is None or fusion.num_contexts in (0, queries.shape[1]):
            return content, None
        aggregation = self.aggregation(queries, fusion.places(content), fusion.subject_mask)
        fused = aggregation.queries
        return (fused if self.batch_first else fused.transpose(0, 1)), aggregation
