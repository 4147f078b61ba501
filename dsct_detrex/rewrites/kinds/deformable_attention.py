"""Deformable attention, embedded or live, through the fused operator of ``ops``.

Offsets and logits come from the same queries, so one product with both weights gives both; softmax, locations and
sampling are one pass of the backend, which reads them where they are and gives both gradients in one piece. Padding is
zeroed in the projected values, which nobody else has seen yet, instead of in a copy.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dsct_detrex.ops import fused_deformable_attn
from dsct_detrex.rewrites.rewrite import Rewrite, is_plain_linear

_LINEARS = ("sampling_offsets", "attention_weights", "value_proj", "output_proj")
_NUMBERS = ("embed_dim", "num_heads", "num_levels", "num_points")


class DeformableAttention(Rewrite):
    """``identity + dropout(output_proj(fused operator))``; shapes as in ``layers.MultiScaleDeformableAttention``."""

    name = "deformable_attention"
    trains = True

    @classmethod
    def fits(cls, module: nn.Module) -> bool:
        parts = all(is_plain_linear(getattr(module, name, None)) for name in _LINEARS)
        return parts and all(isinstance(getattr(module, name, None), int) for name in _NUMBERS)

    def weights(self) -> Iterator[Tensor]:
        for linear in (self.module.sampling_offsets, self.module.attention_weights):
            yield from linear.parameters()

    def prepare(self) -> tuple[Tensor, Tensor]:
        """Weight and bias of the product that gives offsets and logits."""
        offsets, logits = self.module.sampling_offsets, self.module.attention_weights
        return torch.cat([offsets.weight, logits.weight]), torch.cat([offsets.bias, logits.bias])

    def fast(
        self,
        prepared: tuple[Tensor, Tensor],
        query: Tensor,
        key: Tensor | None = None,
        value: Tensor | None = None,
        identity: Tensor | None = None,
        query_pos: Tensor | None = None,
        key_padding_mask: Tensor | None = None,
        *,
        reference_points: Tensor,
        spatial_shapes: Tensor,
        level_start_index: Tensor,
        **_: Any,
    ) -> Tensor:
        module = self.module
        value = query if value is None else value
        identity = query if identity is None else identity
        query = query if query_pos is None else query + query_pos
        if not module.batch_first:
            query, value = query.transpose(0, 1), value.transpose(0, 1)
        projected: Tensor = module.value_proj(value)
        if key_padding_mask is not None:
            projected = projected.masked_fill_(key_padding_mask[..., None], 0)
        offsets, logits = _Parts.apply(F.linear(query, *prepared))
        grid = (*query.shape[:2], module.num_heads, module.num_levels, module.num_points)
        sampled = fused_deformable_attn(
            projected.view(*projected.shape[:2], module.num_heads, -1),
            spatial_shapes,
            level_start_index,
            reference_points,
            offsets.reshape(*grid, 2),
            logits.reshape(grid),
        )
        output: Tensor = module.output_proj(sampled)
        output = output if module.batch_first else output.transpose(0, 1)
        dropped: Tensor = module.dropout(output)
        return dropped + identity


class _Parts(torch.autograd.Function):
    """Offsets, (..., 2 N), and logits, (..., N), of a (..., 3 N) product; gradients that are one piece stay one."""

    @staticmethod
    def forward(ctx: Any, predicted: Tensor) -> tuple[Tensor, Tensor]:
        count = predicted.shape[-1] // 3
        return predicted[..., : 2 * count], predicted[..., 2 * count :]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        offsets, logits = gradients
        whole, count = offsets._base, logits.shape[-1]
        if whole is None or whole is not logits._base or whole.shape != (*logits.shape[:-1], 3 * count):
            return torch.cat(gradients, -1)
        parts = whole[..., : 2 * count], whole[..., 2 * count :]
        same = all(_lies_as(part, gradient) for part, gradient in zip(parts, gradients))
        return whole if same else torch.cat(gradients, -1)


def _lies_as(view: Tensor, other: Tensor) -> bool:
    """Whether two views of one tensor are the same elements in the same order."""
    return (view.shape, view.stride(), view.storage_offset()) == (other.shape, other.stride(), other.storage_offset())


REWRITES = (DeformableAttention,)
