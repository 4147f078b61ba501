"""Multi-head relational attention: subjects attend to the contexts they chose, and to nothing else.

The ``multi_head`` formula of fusion. Queries, keys and values are trained projections of the states, as in
any attention layer; the choices (Eq. 6 and 7) stay those of the paper, made from the states themselves.

Shapes: B images, N subject queries, M context queries, Q = M + N (contexts first), L lists, H heads, C channels.
"""

from __future__ import annotations

from torch import Tensor, nn


class RelationalHeads(nn.Module):
    """H heads of C / H channels each; what they gather comes side by side, in front of an output projection.

    Args:
        embed_dim: C.
        num_heads: H, a divisor of C.

    Raises:
        ValueError: it is none.
    """

    def __init__(self, embed_dim: int, num_heads: int) -> None:
        super().__init__()
        if num_heads < 1 or embed_dim % num_heads:
            raise ValueError(
                f"RelationalAggregation(num_heads=) expects a divisor of the {embed_dim} channels. Got {num_heads}."
            )
        self.num_heads = num_heads
        self.query_proj, self.key_proj, self.value_proj = (nn.Linear(embed_dim, embed_dim) for _ in range(3))
        for projection in (self.query_proj, self.key_proj, self.value_proj):
            nn.init.xavier_uniform_(projection.weight)  # products of layer-normed states then start at about 1
            nn.init.zeros_(projection.bias)

    def forward(self, queries: Tensor, lists: Tensor) -> tuple[Tensor, Tensor]:
        """Gather.

        Args:
            queries: (B, Q, C) states.
            lists: (L, B, N, Q) added before the softmax, see ``RelationalAggregation.lists``.

        Returns:
            (B, N, C) gathered values, and (B, N, Q) weights, the mean over heads.
        """
        weights = (self.products(queries, lists.shape[-2]) + lists[:, :, None]).softmax(-1).sum(0)  # (B, H, N, Q)
        value = self._split(self.value_proj(queries))
        gathered = weights.to(value.dtype) @ value
        return gathered.transpose(1, 2).flatten(2), weights.mean(1)

    def products(self, queries: Tensor, num_subjects: int) -> Tensor:
        """(B, H, N, Q) products of queries and keys over sqrt(C / H), the subjects being the last N queries."""
        query = self._split(self.query_proj(queries[:, queries.shape[1] - num_subjects :]))
        key = self._split(self.key_proj(queries))
        products: Tensor = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5
        return products

    def _split(self, states: Tensor) -> Tensor:
        """(B, n, C) to (B, H, n, C / H)."""
        return states.reshape(*states.shape[:-1], self.num_heads, -1).transpose(1, 2)

    def extra_repr(self) -> str:
        return f"num_heads={self.num_heads}"
