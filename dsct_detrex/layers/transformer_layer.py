"""A transformer layer as a named order of operations, and a stack of such layers.

Attentions, feed-forward and norm arrive built, and ``operation_order`` says when each one runs. That openness is what
DSCT needs: its fusion enters a decoder layer between the cross-attention norm and the feed-forward.

Names as in ``detrex.layers.{BaseTransformerLayer,TransformerLayerSequence}``, an idea that goes back to mmcv.
"""

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

_OPERATIONS = ("self_attn", "cross_attn", "norm", "ffn")

# What an attention reads: content of the keys, values, positions of the keys, padding of the keys.
_Keys = tuple[Tensor | None, Tensor | None, Tensor | None, Tensor | None]


class BaseTransformerLayer(nn.Module):
    """Runs its attentions, norms and feed-forwards in ``operation_order``.

    An order that starts with "norm" is pre-norm: every attention and feed-forward then adds the un-normalised input.

    Shapes: Q queries, K keys, B images, C channels, in the layout of the attentions (sequence or batch first).

    Args:
        attn: the attentions in the order of use, taken as they are; or one module, copied for each use.
        ffn: copied for each "ffn".
        norm: copied for each "norm".
        operation_order: of "self_attn", "cross_attn", "norm", "ffn".

    Raises:
        ValueError: an unknown operation, or a number of attentions that differs from the order's.
    """

    def __init__(
        self, attn: nn.Module | Sequence[nn.Module], ffn: nn.Module, norm: nn.Module, operation_order: Sequence[str]
    ) -> None:
        super().__init__()
        order = tuple(operation_order)
        if not order or not set(order) <= set(_OPERATIONS):
            raise ValueError(
                f"BaseTransformerLayer(operation_order=) expects operations of {_OPERATIONS}. Got {order}."
            )
        self.num_attn = order.count("self_attn") + order.count("cross_attn")
        attentions = [copy.deepcopy(attn) for _ in range(self.num_attn)] if isinstance(attn, nn.Module) else list(attn)
        if len(attentions) != self.num_attn:
            raise ValueError(
                f"BaseTransformerLayer(attn=) expects {self.num_attn} attentions for {order}. Got {len(attentions)}."
            )
        self.operation_order = order
        self.pre_norm = order[0] == "norm"
        self.attentions = nn.ModuleList(attentions)
        self.ffns = nn.ModuleList(copy.deepcopy(ffn) for _ in range(order.count("ffn")))
        self.norms = nn.ModuleList(copy.deepcopy(norm) for _ in range(order.count("norm")))
        self.embed_dim: int = attentions[0].embed_dim  # type: ignore[assignment]

    def forward(
        self,
        query: Tensor,
        key: Tensor | None = None,
        value: Tensor | None = None,
        query_pos: Tensor | None = None,
        key_pos: Tensor | None = None,
        attn_masks: Sequence[Tensor | None] | None = None,
        query_key_padding_mask: Tensor | None = None,
        key_padding_mask: Tensor | None = None,
        **kwargs: Any,
    ) -> Tensor:
        """Run the layer.

        Args:
            query: (Q, B, C) or (B, Q, C).
            key: (K, B, C) or (B, K, C), for cross-attention.
            value: as ``key``.
            query_pos: position of the queries; in self-attention also of the keys.
            key_pos: position of ``key``.
            attn_masks: one mask or None for each attention; True = blocked.
            query_key_padding_mask: (B, Q) bool, True = padding, for self-attention.
            key_padding_mask: (B, K) bool, True = padding, for cross-attention.
            kwargs: handed to every attention (reference points, spatial shapes, ...).

        Returns:
            shaped like ``query``.

        Raises:
            ValueError: ``attn_masks`` is a bare tensor or does not hold one entry for each attention.
        """
        attentions = iter(zip(self.attentions, self._masks_of_attentions(attn_masks)))
        norms, ffns = iter(self.norms), iter(self.ffns)
        identity = query
        for operation in self.operation_order:
            kept = identity if self.pre_norm else None
            if operation == "norm":
                query = next(norms)(query)
            elif operation == "ffn":
                query = next(ffns)(query, kept)
            else:
                attention, mask = next(attentions)
                keys: _Keys = (key, value, key_pos, key_padding_mask)
                if operation == "self_attn":
                    keys = (query, query, query_pos, query_key_padding_mask)
                query = identity = attention(
                    query,
                    keys[0],
                    keys[1],
                    kept,
                    query_pos=query_pos,
                    key_pos=keys[2],
                    attn_mask=mask,
                    key_padding_mask=keys[3],
                    **kwargs,
                )
        return query

    def _masks_of_attentions(self, attn_masks: Sequence[Tensor | None] | None) -> Sequence[Tensor | None]:
        if attn_masks is None:
            return [None] * self.num_attn
        if isinstance(attn_masks, Tensor) or len(attn_masks) != self.num_attn:
            got = (
                f"a tensor {tuple(attn_masks.shape)}"
                if isinstance(attn_masks, Tensor)
                else f"{len(attn_masks)} entries"
            )
            raise ValueError(
                f"BaseTransformerLayer(attn_masks=) expects a list of {self.num_attn} masks or Nones, one for each "
                f"attention. Got {got}."
            )
        return attn_masks


class TransformerLayerSequence(nn.Module):
    """The stack of layers under an encoder or decoder, which brings its own ``forward``.

    Args:
        transformer_layers: one layer, copied ``num_layers`` times; or the layers, taken as they are.
        use_checkpoint: recompute each layer in the backward pass instead of keeping its activations.

    Raises:
        ValueError: a list of layers whose length is not ``num_layers``, or less than one layer.
    """

    def __init__(
        self, transformer_layers: nn.Module | Sequence[nn.Module], num_layers: int, use_checkpoint: bool = False
    ) -> None:
        super().__init__()
        if num_layers < 1:
            raise ValueError(f"TransformerLayerSequence(num_layers=) expects an int >= 1. Got {num_layers}.")
        if isinstance(transformer_layers, nn.Module):
            transformer_layers = [copy.deepcopy(transformer_layers) for _ in range(num_layers)]
        found = len(transformer_layers)
        if found != num_layers:
            raise ValueError(f"TransformerLayerSequence(transformer_layers=) expects {num_layers} layers. Got {found}.")
        self.num_layers = num_layers
        self.use_checkpoint = use_checkpoint
        self.layers = nn.ModuleList(transformer_layers)

    def run_layer(self, layer: nn.Module, *args: Any, **kwargs: Any) -> Tensor:
        """``layer(*args, **kwargs)``, checkpointed in training if the stack was built so."""
        out: Tensor
        if self.use_checkpoint and self.training and torch.is_grad_enabled():
            out = checkpoint(layer, *args, use_reentrant=False, **kwargs)
        else:
            out = layer(*args, **kwargs)
        return out
