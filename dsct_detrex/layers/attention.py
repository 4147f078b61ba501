"""Multi-head attention with positions and identity, as the DETR family wraps it.

Positions are added to queries and keys but not to values, and the input is added to the result, so that a transformer
layer is a plain sequence of attentions, norms and feed-forwards.

Source: DETR, arXiv:2005.12872, appendix; constructor and parameter names as in
``detrex.layers.MultiheadAttention``.
"""

from typing import Any

from torch import Tensor, nn


class MultiheadAttention(nn.Module):
    """``identity + proj_drop(attention(query + query_pos, key + key_pos, value))``.

    Shapes: Q queries, K keys, B images, C = ``embed_dim``. Sequence first (Q, B, C) unless ``batch_first`` (B, Q, C).

    Args:
        attn_drop: dropout on the attention weights.
        proj_drop: dropout on the result before the identity is added (0 in all detrex hosts).
        kwargs: further arguments of ``torch.nn.MultiheadAttention``.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        attn_drop: float = 0.0,
        proj_drop: float = 0.0,
        batch_first: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        self.embed_dim = embed_dim
        self.num_heads = num_heads
        self.batch_first = batch_first
        self.attn = nn.MultiheadAttention(embed_dim, num_heads, dropout=attn_drop, batch_first=batch_first, **kwargs)
        self.proj_drop = nn.Dropout(proj_drop)

    def forward(
        self,
        query: Tensor,
        key: Tensor | None = None,
        value: Tensor | None = None,
        identity: Tensor | None = None,
        query_pos: Tensor | None = None,
        key_pos: Tensor | None = None,
        attn_mask: Tensor | None = None,
        key_padding_mask: Tensor | None = None,
        **_: Any,
    ) -> Tensor:
        """Attend.

        Args:
            query: (Q, B, C) or (B, Q, C).
            key: (K, B, C) or (B, K, C); the query if None.
            value: as ``key``; the key if None.
            identity: added to the result; the query (without its position) if None.
            query_pos: position of the queries, shaped like them.
            key_pos: position of the keys. If None and the keys are shaped like ``query_pos``, that is used.
            attn_mask: (Q, K) or (B * heads, Q, K) bool, True = blocked, or float, added to the scores.
            key_padding_mask: (B, K) bool, True = padding.

        Keywords meant for other kinds of attention (reference points, ...) are ignored.

        Returns:
            shaped like ``query``.
        """
        key = query if key is None else key
        value = key if value is None else value
        identity = query if identity is None else identity
        if key_pos is None and query_pos is not None and query_pos.shape == key.shape:
            key_pos = query_pos
        out, _weights = self.attn(
            query if query_pos is None else query + query_pos,
            key if key_pos is None else key + key_pos,
            value,
            attn_mask=attn_mask,
            key_padding_mask=key_padding_mask,
            need_weights=False,
        )
        result: Tensor = identity + self.proj_drop(out)
        return result
