"""Row-column decoupled attention: a query attends to the columns and to the rows of a map instead of its pixels.

The weight of a pixel is the product of two weights, one for its column (keys averaged over each column) and one for
its row, so a map of H rows and W columns costs H + W scores for each query.

Shape shorthand in this module: B images, Q queries, H rows and W columns of the map, C = ``embed_dim``, D channels of
a head.

Source: Anchor DETR, arXiv:2109.07107, "Row-Column Decoupled Attention"; names of ``MultiheadRCDA`` in detrex's
projects/anchor_detr, where "row" means along a row (positions x) and "col" along a column (positions y).
"""

import torch
from torch import Tensor, nn


class MultiheadRCDA(nn.Module):
    """Attention with weights ``softmax(q_row k_row) x softmax(q_col k_col)``.

    Args:
        dropout: on the weights of rows and of columns.
        bias: of all projections.

    Attributes:
        in_proj_weight: (5C, C), in the order row query, column query, row key, column key, value.
        in_proj_bias: (5C,) likewise.

    Raises:
        ValueError: channels do not divide among the heads.
    """

    def __init__(self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True) -> None:
        super().__init__()
        if embed_dim % num_heads:
            raise ValueError(f"MultiheadRCDA(embed_dim=) expects a multiple of its {num_heads} heads. Got {embed_dim}.")
        self.embed_dim = embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.in_proj_weight = nn.Parameter(torch.empty(5 * embed_dim, embed_dim))
        self.in_proj_bias = nn.Parameter(torch.zeros(5 * embed_dim)) if bias else None
        self.out_proj = nn.Linear(embed_dim, embed_dim, bias=bias)
        nn.init.xavier_uniform_(self.in_proj_weight)
        if bias:
            nn.init.zeros_(self.out_proj.bias)

    def forward(
        self,
        query_row: Tensor,
        query_col: Tensor,
        key_row: Tensor,
        key_col: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Attend to a map.

        Args:
            query_row: (B, Q, C) queries with their x position.
            query_col: (B, Q, C) queries with their y position.
            key_row: (B, H, W, C) map with x positions; or (B, 1, W, C), already averaged over its rows.
            key_col: (B, H, W, C) map with y positions; or (B, H, 1, C), already averaged over its columns.
            value: (B, H, W, C).
            key_padding_mask: (B, H, W) bool, True = padding, right and below. Weights there are 0, but averaged keys
                contain padded pixels, as in detrex.
            need_weights: whether to return the weights.

        Returns:
            (Q, B, C), sequence first like ``torch.nn.MultiheadAttention``, and (Q, B, H, W) weights averaged over the
            heads, or None.
        """
        # projections are affine, so averaging before them is the same and far cheaper
        inputs = (query_row, query_col, key_row.mean(1), key_col.mean(2), value)
        biases = [None] * 5 if self.in_proj_bias is None else self.in_proj_bias.chunk(5)
        projected = map(nn.functional.linear, inputs, self.in_proj_weight.chunk(5), biases)
        q_row, q_col, k_row, k_col, v = (x.view(*x.shape[:-1], self.num_heads, -1) for x in projected)
        mask_row = None if key_padding_mask is None else key_padding_mask[:, 0]
        mask_col = None if key_padding_mask is None else key_padding_mask[:, :, 0]
        row, col = self._weights(q_row, k_row, mask_row), self._weights(q_col, k_col, mask_col)
        heads = _weighted_sum(row, col, v.permute(0, 3, 1, 2, 4))
        out: Tensor = self.out_proj(heads.permute(2, 0, 1, 3).flatten(2))
        weights = torch.einsum("bnqw,bnqh->qbhw", row, col) / self.num_heads if need_weights else None
        return out, weights

    def _weights(self, query: Tensor, key: Tensor, mask: Tensor | None) -> Tensor:
        """(B, Q, heads, D) and (B, K, heads, D) and (B, K) bool to (B, heads, Q, K), each row summing to 1."""
        scores = (query * query.shape[-1] ** -0.5).transpose(1, 2) @ key.permute(0, 2, 3, 1)
        if mask is not None:
            scores = scores.masked_fill(mask[:, None, None], float("-inf"))
        return nn.functional.dropout(scores.softmax(-1), self.dropout, self.training)


def _weighted_sum(row: Tensor, col: Tensor, value: Tensor) -> Tensor:
    """(..., Q, W) times (..., Q, H) weights, summed over (..., H, W, D) values: (..., Q, D).

    Two ways: with all H W products of weights at once, which is faster; or with sums along the longer side first, whose
    H D intermediate is the smaller one on large maps.
    """
    if row.shape[-1] < col.shape[-1]:
        row, col, value = col, row, value.transpose(-3, -2)
    width, channels = value.shape[-2:]
    if width <= 2 * channels:
        return (col[..., None] * row[..., None, :]).flatten(-2) @ value.flatten(-3, -2)
    along = row @ value.transpose(-3, -2).flatten(-2)
    return (col[..., None] * along.view(*col.shape, channels)).sum(-2)
