"""Anchor DETR's transformer: context queries are patterns (what) at anchor points (where), read off one map.

There is no decoder module: decoder layers and heads are children of the transformer. Points stay where they are; each
layer makes its positions from them anew.

Shape shorthand in this module: B images, P patterns, A anchor points, M = P A context queries (pattern by pattern),
L decoder layers, C channels, H rows and W columns of the map, K classes.

Source: Anchor DETR, arXiv:2109.07107; keywords of ``AnchorDETRTransformer`` in detrex's projects/anchor_detr.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

from dsct_detrex.hosts.anchor_detr_layers import AnchorDETRDecoderLayer, AnchorDETREncoderLayer
from dsct_detrex.hosts.anchor_detr_map import axis_position, point_position
from dsct_detrex.hosts.errors import HostConfigError
from dsct_detrex.hosts.heads import prediction_heads
from dsct_detrex.layers.boxes import apply_box_offsets
from dsct_detrex.layers.position_embedding import row_column_centres

# What a fresh box head adds to the logits of width and height: boxes of side sigmoid(-2) = 0.12 around their points.
INITIAL_SIZE_LOGIT = -2.0


class AnchorDETRTransformer(nn.Module):
    """Call it as ``transformer(srcs, masks)``.

    Args:
        dim_feedforward: hidden width of the feed-forwards.
        dropout: of attention weights, of what attentions return, and inside the feed-forwards.
        activation: "relu" or "gelu".
        num_feature_levels: 1, as ``AnchorDETR`` in detrex gives its transformer one map.
        num_query_position: number of anchor points A; a grid takes the nearest square number.
        num_query_pattern: number of patterns P.
        spatial_prior: "learned" points, or a "grid" of fixed ones.
        attention_type: how maps are read, "RCDA" or "nn.MultiheadAttention".

    Raises:
        HostConfigError: more than one level, or an unknown activation, attention or prior.
    """

    def __init__(
        self,
        embed_dim: int = 256,
        num_heads: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 1024,
        dropout: float = 0.0,
        activation: str = "relu",
        num_feature_levels: int = 1,
        num_query_position: int = 300,
        num_query_pattern: int = 3,
        spatial_prior: str = "learned",
        attention_type: str = "RCDA",
        num_classes: int = 80,
    ) -> None:
        super().__init__()
        if num_feature_levels != 1:
            raise HostConfigError(f"AnchorDETRTransformer(num_feature_levels=) expects 1. Got {num_feature_levels}.")
        if spatial_prior not in ("learned", "grid"):
            raise HostConfigError(
                f"AnchorDETRTransformer(spatial_prior=) expects learned or grid. Got {spatial_prior!r}."
            )
        self.embed_dim = embed_dim
        self.num_classes = num_classes
        self.num_pattern = num_query_pattern
        self.attention_type = attention_type
        self.spatial_prior = spatial_prior
        layer = (embed_dim, dim_feedforward, dropout, activation, num_heads, attention_type)
        self.encoder_layers = nn.ModuleList(AnchorDETREncoderLayer(*layer) for _ in range(num_encoder_layers))
        self.decoder_layers = nn.ModuleList(AnchorDETRDecoderLayer(*layer) for _ in range(num_decoder_layers))
        self.pattern = nn.Embedding(num_query_pattern, embed_dim)
        if spatial_prior == "learned":
            self.num_position = num_query_position
            self.position = nn.Embedding(num_query_position, 2)
            nn.init.uniform_(self.position.weight)
        else:
            self.num_position = round(math.sqrt(num_query_position)) ** 2
        self.adapt_pos2d = _adapter(embed_dim)
        self.adapt_pos1d = _adapter(embed_dim)
        self.class_embed, self.bbox_embed = prediction_heads(
            embed_dim, num_classes, num_decoder_layers, tied=True, initial_size_logit=INITIAL_SIZE_LOGIT
        )

    def forward(self, srcs: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        """Run the whole transformer with its heads; arguments as for ``decoder_inputs``.

        Returns:
            (L, B, M, K) logits and (L, B, M, 4) boxes, ``cxcywh`` in [0, 1] of the unpadded image.
        """
        inputs = self.decoder_inputs(srcs, masks)
        layers = list(zip(self.decode(**inputs), self.class_embed, self.bbox_embed))
        points = inputs["reference_points"]
        logits = torch.stack([classify(state) for state, classify, _ in layers])
        return logits, torch.stack([apply_box_offsets(box(state), points) for state, _, box in layers])

    def decoder_inputs(self, srcs: Tensor, masks: Tensor) -> dict[str, Any]:
        """The arguments that the first decoder layer is called with; the others differ in ``tgt`` alone.

        Args:
            srcs: (B, 1, C, H, W) map.
            masks: (B, H, W) bool, True = padding.

        Returns:
            ``tgt`` (B, M, C), ``reference_points`` (B, M, 2) xy in [0, 1] of the unpadded image, ``srcs`` (B, 1, C, H,
            W) encoded, ``src_padding_masks`` (B, H, W), the modules ``adapt_pos2d`` and ``adapt_pos1d``, and the map's
            positions ``posemb_row`` (B, W, C) and ``posemb_col`` (B, H, C), or ``posemb_2d`` (B, H, W, C); None for
            the ones that the attention does not read.
        """
        positions = self.map_positions(masks)
        memory = srcs.flatten(0, 1)
        for layer in self.encoder_layers:
            memory = layer(memory, masks, **positions)
        points = self.points().to(self.pattern.weight)
        return {
            "tgt": self.pattern.weight.repeat_interleave(self.num_position, 0).expand(srcs.shape[0], -1, -1),
            "reference_points": points.repeat(self.num_pattern, 1).expand(srcs.shape[0], -1, -1),
            "srcs": memory[:, None],
            "src_padding_masks": masks,
            "adapt_pos2d": self.adapt_pos2d,
            "adapt_pos1d": self.adapt_pos1d,
            **positions,
        }

    def decode(self, tgt: Tensor, **inputs: Any) -> Tensor:
        """(L, B, M, C) states that leave the decoder layers; arguments as ``decoder_inputs`` returns them."""
        states = []
        for layer in self.decoder_layers:
            tgt = layer(tgt, **inputs)
            states.append(tgt)
        return torch.stack(states)

    def map_positions(self, masks: Tensor) -> dict[str, Tensor | None]:
        """Positions that the attention reads, from the (B, H, W) padding mask; see ``decoder_inputs``."""
        y, x = (axis.to(self.pattern.weight) for axis in row_column_centres(masks))
        if self.attention_type == "RCDA":
            row, col = (axis_position(self.adapt_pos1d, axis, self.embed_dim) for axis in (x, y))
            return {"posemb_row": row, "posemb_col": col, "posemb_2d": None}
        plane = torch.stack([x[:, None].expand(masks.shape), y[:, :, None].expand(masks.shape)], -1)
        embedded = point_position(self.adapt_pos2d, plane, self.embed_dim)
        return {"posemb_row": None, "posemb_col": None, "posemb_2d": embedded}

    def points(self) -> Tensor:
        """(A, 2) xy of the anchor points in [0, 1] of the unpadded image; a grid runs down column after column."""
        if self.spatial_prior == "learned":
            return self.position.weight
        side = math.isqrt(self.num_position)
        centres = (torch.arange(side, device=self.pattern.weight.device) + 0.5) / side
        return torch.cartesian_prod(centres, centres)


def _adapter(embed_dim: int) -> nn.Sequential:
    """What turns sine embeddings into positions."""
    return nn.Sequential(nn.Linear(embed_dim, embed_dim), nn.ReLU(), nn.Linear(embed_dim, embed_dim))
