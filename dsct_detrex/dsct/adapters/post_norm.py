"""The decoder layer that nearly all hosts share, run through its own submodules and opened at its middle.

Order: self-attention, norm, cross-attention, norm, FFN, norm (detrex: ``BaseTransformerLayer`` in
``layers/transformer.py``). Whatever acts at the middle comes between the second norm and the FFN.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from torch import Tensor

LAYER_ORDER = ("self_attn", "norm", "cross_attn", "norm", "ffn", "norm")
"""The only layer order DSCT can open at its middle; pre-norm layers would need fusion on the residual stream."""

Middle = Callable[[Tensor], Tensor]
"""States of all queries -> states of all queries, in the host's layout."""


class LayerRunner(Protocol):
    """A layer of a host, ready to run on the states of all queries."""

    def __call__(
        self, content: Tensor, keywords: dict[str, Any], attention_mask: Tensor | None, middle: Middle | None
    ) -> Tensor:
        """Arguments as for ``run_post_norm_layer``."""
        ...


def run_post_norm_layer(
    base: Any, content: Tensor, keywords: dict[str, Any], attention_mask: Tensor | None, middle: Middle | None
) -> Tensor:
    """Run one layer.

    Args:
        base: the host's layer: ``attentions`` (self, cross), ``norms`` (three), ``ffns`` (one).
        content: states of all queries, contexts first, in the host's layout.
        keywords: what the layer receives besides: ``value``, and where the host has them ``key``, ``key_pos``,
            ``key_padding_mask`` (cross-attention), ``query_pos``, ``query_key_padding_mask`` (B, Q; self-attention);
            every other one goes to both attentions.
        attention_mask: (Q, Q) bool for self-attention, True = blocked, or None.
        middle: acts between cross-attention and FFN; None: nothing does.

    Returns:
        States in the layout of ``content``.
    """
    keywords = dict(keywords)
    query_pos, key_pos = keywords.pop("query_pos", None), keywords.pop("key_pos", None)
    key, value = keywords.pop("key", None), keywords.pop("value")
    memory_mask = keywords.pop("key_padding_mask", None)
    query_mask = keywords.pop("query_key_padding_mask", None)
    self_attention, cross_attention = base.attentions
    content = self_attention(
        content,
        content,
        content,
        None,
        query_pos=query_pos,
        key_pos=query_pos,
        attn_mask=attention_mask,
        key_padding_mask=query_mask,
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
