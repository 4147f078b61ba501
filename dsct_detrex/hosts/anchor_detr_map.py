"""How Anchor DETR reads its map: by row-column decoupled attention, or plainly.

Decoupled attention ("RCDA") wants queries and keys with a position along each axis, plain attention wants them with
one in the plane; all are made from sine embeddings by two small networks.

Shape shorthand in this module: B images, Q queries, H rows and W columns of the map, C = ``embed_dim``.

Source: Anchor DETR, arXiv:2109.07107; detrex's projects/anchor_detr.
"""

from collections.abc import Callable

from torch import Tensor, nn

from dsct_detrex.hosts.errors import HostConfigError
from dsct_detrex.layers.position_embedding import get_sine_pos_embed
from dsct_detrex.layers.row_column_attention import MultiheadRCDA

ATTENTIONS: dict[str, Callable[..., nn.Module]] = {
    "RCDA": MultiheadRCDA,
    "nn.MultiheadAttention": nn.MultiheadAttention,
}

Adapt = Callable[[Tensor], Tensor]
"""(..., C) sine embedding to (..., C) position."""


def point_position(adapt: Adapt, xy: Tensor, embed_dim: int) -> Tensor:
    """(..., 2) xy in [0, 1] to (..., C), a position in the plane."""
    return adapt(get_sine_pos_embed(xy, embed_dim // 2))


def axis_position(adapt: Adapt, coordinate: Tensor, embed_dim: int) -> Tensor:
    """(...) x or y in [0, 1] to (..., C), a position along one axis."""
    return adapt(get_sine_pos_embed(coordinate[..., None], embed_dim, exchange_xy=False))


def map_attention(attention_type: str, embed_dim: int, num_heads: int, dropout: float) -> nn.Module:
    """A fresh attention of the kind that a config names."""
    if attention_type not in ATTENTIONS:
        raise HostConfigError(
            f"Anchor DETR's attention_type= expects one of {tuple(ATTENTIONS)}. Got {attention_type!r}."
        )
    return ATTENTIONS[attention_type](embed_dim, num_heads, dropout=dropout)


def attend_to_map(
    attention: nn.Module,
    queries: tuple[Tensor, ...],
    features: Tensor,
    posemb_row: Tensor | None,
    posemb_col: Tensor | None,
    posemb_2d: Tensor | None,
    padding: Tensor | None,
) -> Tensor:
    """Attend to a map, decoupled or plainly, as its positions say.

    Args:
        attention: ``MultiheadRCDA`` or ``torch.nn.MultiheadAttention``, sequence first.
        queries: (B, Q, C) with x and (B, Q, C) with y position, or (B, Q, C) with position in the plane.
        features: (B, H, W, C).
        posemb_row: (B, W, C) positions x, for decoupled attention.
        posemb_col: (B, H, C) positions y, likewise.
        posemb_2d: (B, H, W, C) positions in the plane, for plain attention.
        padding: (B, H, W) bool, True = padding.

    Returns:
        (B, Q, C).
    """
    out: Tensor
    if posemb_2d is None:
        assert posemb_row is not None
        assert posemb_col is not None
        # keys are averaged over the other axis anyway
        key_row = features.mean(1, keepdim=True) + posemb_row[:, None]
        key_col = features.mean(2, keepdim=True) + posemb_col[:, :, None]
        out = attention(*queries, key_row, key_col, features, key_padding_mask=padding)[0]
    else:
        key, value = (x.flatten(1, 2).transpose(0, 1) for x in (features + posemb_2d, features))
        mask = None if padding is None else padding.flatten(1)
        out = attention(queries[0].transpose(0, 1), key, value, key_padding_mask=mask, need_weights=False)[0]
    return out.transpose(0, 1)
