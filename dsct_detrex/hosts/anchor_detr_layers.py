"""The layers of Anchor DETR: pixels attend to the map; queries attend to each other and then to the map.

Shape shorthand in this module: B images, Q queries, H rows and W columns of the map, C = ``embed_dim``.

Source: Anchor DETR, arXiv:2109.07107; parameter names and keywords of the layers in detrex's projects/anchor_detr.
"""

from collections.abc import Callable

from torch import Tensor, nn

from dsct_detrex.hosts.anchor_detr_map import Adapt, attend_to_map, axis_position, map_attention, point_position
from dsct_detrex.hosts.errors import HostConfigError

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": nn.functional.relu, "gelu": nn.functional.gelu}


class AnchorDETRFFN(nn.Module):
    """Feed-forward network with identity and the norm behind it."""

    def __init__(self, embed_dim: int = 256, d_ffn: int = 1024, dropout: float = 0.0, activation: str = "relu") -> None:
        super().__init__()
        if activation not in ACTIVATIONS:
            raise HostConfigError(f"Anchor DETR's activation= expects one of {tuple(ACTIVATIONS)}. Got {activation!r}.")
        self.linear1 = nn.Linear(embed_dim, d_ffn)
        self.activation = ACTIVATIONS[activation]
        self.dropout2 = nn.Dropout(dropout)
        self.linear2 = nn.Linear(d_ffn, embed_dim)
        self.dropout3 = nn.Dropout(dropout)
        self.norm2 = nn.LayerNorm(embed_dim)

    def forward(self, src: Tensor) -> Tensor:
        """(..., C) to (..., C)."""
        hidden = self.dropout2(self.activation(self.linear1(src)))
        out: Tensor = self.norm2(src + self.dropout3(self.linear2(hidden)))
        return out


class AnchorDETRLayer(nn.Module):
    """What encoder and decoder layers share: everything behind the attention to the map."""

    def __init__(self, embed_dim: int, d_ffn: int, dropout: float, activation: str) -> None:
        super().__init__()
        self.embed_dim = embed_dim
        self.dropout1 = nn.Dropout(dropout)
        self.norm1 = nn.LayerNorm(embed_dim)
        self.ffn = AnchorDETRFFN(embed_dim, d_ffn, dropout, activation)

    def finish(self, content: Tensor, attended: Tensor) -> Tensor:
        """(B, ..., C) states and what they got from the map, to the states that leave the layer."""
        out: Tensor = self.ffn(self.norm1(content + self.dropout1(attended)))
        return out


class AnchorDETREncoderLayer(AnchorDETRLayer):
    """Pixels attend to the map (detrex: ``TransformerEncoderLayerSpatial``).

    Args:
        d_ffn: hidden width of the feed-forward.
        dropout: of attention weights, of what attentions return, and inside the feed-forward.
        activation: "relu" or "gelu".
        attention_type: "RCDA" or "nn.MultiheadAttention".

    Raises:
        HostConfigError: an unknown activation or attention.
    """

    def __init__(
        self,
        embed_dim: int = 256,
        d_ffn: int = 1024,
        dropout: float = 0.0,
        activation: str = "relu",
        n_heads: int = 8,
        attention_type: str = "RCDA",
    ) -> None:
        super().__init__(embed_dim, d_ffn, dropout, activation)
        self.self_attn = map_attention(attention_type, embed_dim, n_heads, dropout)

    def forward(
        self,
        src: Tensor,
        padding_mask: Tensor | None = None,
        posemb_row: Tensor | None = None,
        posemb_col: Tensor | None = None,
        posemb_2d: Tensor | None = None,
    ) -> Tensor:
        """(B, C, H, W) to (B, C, H, W); the other arguments as ``attend_to_map`` takes them."""
        features = src.permute(0, 2, 3, 1)
        broadcast = (
            None if posemb_row is None else posemb_row[:, None],
            None if posemb_col is None else posemb_col[:, :, None],
            posemb_2d,
        )
        queries = tuple((features + position).flatten(1, 2) for position in broadcast if position is not None)
        attended = attend_to_map(self.self_attn, queries, features, posemb_row, posemb_col, posemb_2d, padding_mask)
        return self.finish(features, attended.view_as(features)).permute(0, 3, 1, 2)


class AnchorDETRDecoderLayer(AnchorDETRLayer):
    """Queries attend to each other, then to the map (detrex: ``TransformerDecoderLayer``); arguments as the encoder's.

    Its norms are numbered in the order of detrex: ``norm2`` follows self-attention, ``norm1`` the attention to the
    map, and the last one lives in ``ffn``.
    """

    def __init__(
        self,
        embed_dim: int = 256,
        d_ffn: int = 1024,
        dropout: float = 0.0,
        activation: str = "relu",
        n_heads: int = 8,
        attention_type: str = "RCDA",
    ) -> None:
        super().__init__(embed_dim, d_ffn, dropout, activation)
        self.cross_attn = map_attention(attention_type, embed_dim, n_heads, dropout)
        self.self_attn = nn.MultiheadAttention(embed_dim, n_heads, dropout=dropout)
        self.dropout2 = nn.Dropout(dropout)
        self.norm2 = nn.LayerNorm(embed_dim)

    def forward(
        self,
        tgt: Tensor,
        reference_points: Tensor,
        srcs: Tensor,
        src_padding_masks: Tensor | None = None,
        *,
        adapt_pos2d: Adapt,
        adapt_pos1d: Adapt,
        posemb_row: Tensor | None = None,
        posemb_col: Tensor | None = None,
        posemb_2d: Tensor | None = None,
    ) -> Tensor:
        """Decode.

        Args:
            tgt: (B, Q, C) states of the queries.
            reference_points: (B, Q, 2) xy in [0, 1] of the unpadded image.
            srcs: (B, 1, C, H, W) encoded map.
            src_padding_masks: (B, H, W) bool, True = padding.
            adapt_pos2d: makes positions of points in the plane.
            adapt_pos1d: makes positions along one axis.
            posemb_row, posemb_col, posemb_2d: positions of the map, see ``attend_to_map``.

        Returns:
            (B, Q, C).
        """
        position = point_position(adapt_pos2d, reference_points, self.embed_dim)
        key, value = (x.transpose(0, 1) for x in (tgt + position, tgt))
        tgt = self.norm2(tgt + self.dropout2(self.self_attn(key, key, value, need_weights=False)[0].transpose(0, 1)))
        if posemb_2d is None:
            axes = (axis_position(adapt_pos1d, x, self.embed_dim) for x in reference_points.unbind(-1))
            queries = tuple(tgt + axis for axis in axes)
        else:
            queries = (tgt + position,)
        features = srcs.flatten(0, 1).permute(0, 2, 3, 1)
        attended = attend_to_map(
            self.cross_attn, queries, features, posemb_row, posemb_col, posemb_2d, src_padding_masks
        )
        return self.finish(tgt, attended)
