"""The attention of Deformable DETR: each query looks at a few learned points around its reference, on every level.

Constructor keywords, forward keywords and state-dict keys are those of detrex's module of the same name
(IDEA-Research/detrex e244e6c, `detrex/layers/multi_scale_deform_attn.py`), so its configs and checkpoints fit.

Shapes: B images, Q queries, S cells of all levels in a row, C = embed_dim, H heads, L levels, P points.
Source: Deformable DETR (arXiv:2010.04159), section 4.1 and Eq. 3.
"""

import math

import torch
from torch import Tensor, nn

from dsct_detrex.ops import fused_deformable_attn


class MultiScaleDeformableAttention(nn.Module):
    """Deformable attention with value and output projections, dropout and residual.

    Args:
        embed_dim: C, a multiple of num_heads.
        num_heads: H.
        num_levels: L.
        num_points: P, sampling points per query, head and level.
        img2col_step: images per launch of detrex's CUDA operator, which detrex configs may set; no effect here.
        dropout: probability, on the output before the residual.
        batch_first: inputs and output are (B, Q, C) if true, (Q, B, C) if false.

    Raises:
        ValueError: embed_dim is not a multiple of num_heads.
    """

    def __init__(
        self,
        embed_dim: int = 256,
        num_heads: int = 8,
        num_levels: int = 4,
        num_points: int = 4,
        img2col_step: int = 64,
        dropout: float = 0.1,
        batch_first: bool = False,
    ) -> None:
        super().__init__()
        if embed_dim % num_heads != 0:
            raise ValueError(
                "MultiScaleDeformableAttention(embed_dim=, num_heads=) expects a multiple of num_heads. "
                f"Got {embed_dim} and {num_heads}."
            )
        self.embed_dim = embed_dim
        self.num_heads = num_heads
        self.num_levels = num_levels
        self.num_points = num_points
        self.batch_first = batch_first
        self.dropout = nn.Dropout(dropout)
        self.sampling_offsets = nn.Linear(embed_dim, num_heads * num_levels * num_points * 2)
        self.attention_weights = nn.Linear(embed_dim, num_heads * num_levels * num_points)
        self.value_proj = nn.Linear(embed_dim, embed_dim)
        self.output_proj = nn.Linear(embed_dim, embed_dim)
        self.init_weights()

    def init_weights(self) -> None:
        """Start with equal weights, and points 1..P cells away from the reference, each head in its own direction."""
        for projection in (self.value_proj, self.output_proj):
            nn.init.xavier_uniform_(projection.weight)
            nn.init.zeros_(projection.bias)
        for predictor in (self.attention_weights, self.sampling_offsets):
            nn.init.zeros_(predictor.weight)
            nn.init.zeros_(predictor.bias)
        angles = torch.arange(self.num_heads) * (2 * math.pi / self.num_heads)
        directions = torch.stack((angles.cos(), angles.sin()), -1)
        directions = directions / directions.abs().amax(-1, keepdim=True)  # onto the border of the square [-1, 1]^2
        distances = torch.arange(1, self.num_points + 1)
        offsets = directions[:, None, None, :] * distances[None, None, :, None]  # (H, 1, P, 2)
        with torch.no_grad():
            self.sampling_offsets.bias.copy_(offsets.expand(-1, self.num_levels, -1, -1).reshape(-1))

    def forward(
        self,
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
        **kwargs: object,
    ) -> Tensor:
        """`identity + dropout(output_proj(sampled values))`.

        Args:
            query: (B, Q, C), or (Q, B, C) unless batch_first.
            key: ignored; part of the common call of all attentions.
            value: (B, S, C) or (S, B, C); None takes `query` without its position (self attention).
            identity: what the residual adds, like query; None takes `query` without its position.
            query_pos: like query; added to it for predicting offsets and weights.
            key_padding_mask: (B, S) bool, True = padding, whose projected value counts as zero.
            reference_points: (B, Q, L, 2) xy, or (B, Q, L, 4) cxcywh; in [0, 1] of each level's padded map.
            spatial_shapes: (L, 2) int64, height and width of the levels in cells.
            level_start_index: (L,) int64, position of each level's first cell in S.
            kwargs: ignored; part of the common call of all attentions (`key_pos`, `attn_mask`, ...).

        Returns:
            Like query.

        Raises:
            ValueError: the last dimension of reference_points is neither 2 nor 4, or shapes do not fit together.
        """
        value = query if value is None else value
        identity = query if identity is None else identity
        query = query if query_pos is None else query + query_pos
        if not self.batch_first:
            query, value = query.transpose(0, 1), value.transpose(0, 1)
        sampled = fused_deformable_attn(
            self._project_value(value, key_padding_mask),
            spatial_shapes,
            level_start_index,
            reference_points,
            self._split(self.sampling_offsets(query), 2),
            self._split(self.attention_weights(query)),
        )
        output: Tensor = self.output_proj(sampled)
        if not self.batch_first:
            output = output.transpose(0, 1)
        dropped: Tensor = self.dropout(output)
        return dropped + identity

    def _project_value(self, value: Tensor, padding: Tensor | None) -> Tensor:
        """(B, S, H, C / H) values, zero at padding."""
        projected: Tensor = self.value_proj(value)
        if padding is not None:
            projected = projected.masked_fill(padding[..., None], 0)
        return projected.view(*projected.shape[:2], self.num_heads, -1)

    def _split(self, predicted: Tensor, *numbers: int) -> Tensor:
        """(B, Q, H * L * P * numbers) -> (B, Q, H, L, P, numbers)."""
        return predicted.view(*predicted.shape[:2], self.num_heads, self.num_levels, self.num_points, *numbers)
