"""Live conditional attention (Conditional-, DAB- and DN-DETR's decoders) through torch's fused operator.

The embedded layer computes the same with it, so the rewrite is an embedded layer made of the live one's parts.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from dsct_detrex.layers.conditional_attention import (
    ConditionalAttention,
    ConditionalCrossAttention,
    ConditionalSelfAttention,
)
from dsct_detrex.rewrites.rewrite import Rewrite, is_plain_linear

_DROPOUTS = ("attn_drop", "proj_drop")
_SELF = {"query_content_proj", "query_pos_proj", "key_content_proj", "key_pos_proj", "value_proj", "out_proj"}
_KINDS = (
    (_SELF, ConditionalSelfAttention),
    (_SELF | {"query_pos_sine_proj"}, ConditionalCrossAttention),
)


class LiveConditionalAttention(Rewrite):
    """Shapes as of ``layers.ConditionalAttention``."""

    name = "attention"

    @classmethod
    def fits(cls, module: nn.Module) -> bool:
        return _kind(module) is not None

    def suits(self, query: Tensor, *args: Any, **kwargs: Any) -> bool:
        return query.dim() == 3 and not self.module.batch_first

    def prepare(self) -> ConditionalAttention:
        kind = _kind(self.module)
        assert kind is not None, "an attention that fits"
        channels = self.module.value_proj.in_features
        with torch.device("meta"):  # its own weights are never made, so no random numbers are drawn
            own = kind(channels, self.module.num_heads).eval()
        for name, part in self.module._modules.items():
            setattr(own, name, part)
        return own

    def fast(self, prepared: ConditionalAttention, *args: Any, **kwargs: Any) -> Tensor:
        out: Tensor = prepared(*args, **kwargs)
        return out


def _kind(module: nn.Module) -> type[ConditionalAttention] | None:
    """The embedded layer of the same parts; None for embedded ones, fused as they are, and for all other modules."""
    parts = dict(module._modules)
    dropouts = [parts.pop(name, None) for name in _DROPOUTS]
    if isinstance(module, ConditionalAttention) or not all(isinstance(one, nn.Dropout) for one in dropouts):
        return None
    if not all(is_plain_linear(part) or (part is None and name == "query_pos_proj") for name, part in parts.items()):
        return None
    known = [kind for names, kind in _KINDS if names == set(parts)]
    return known[0] if known and isinstance(getattr(module, "num_heads", None), int) else None


REWRITES = (LiveConditionalAttention,)
