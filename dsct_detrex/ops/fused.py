"""Multi-scale deformable attention from what a network predicts: offsets and logits, not yet locations and weights.

The same operator as ``multi_scale_deformable_attn`` with the arithmetic before it taken in, so that a backend can do
softmax, locations and sampling in one pass. A backend without such a pass gets locations and weights from here.

Source: Deformable DETR (arXiv:2010.04159), section 4.1, Eq. 3 and appendix A.4 (boxes as references).
"""

from torch import Tensor

from dsct_detrex.ops.backends import choose_backend
from dsct_detrex.ops.multi_scale_deform_attn import check_shapes, check_values_and_levels, multi_scale_deformable_attn


def fused_deformable_attn(
    value: Tensor,
    spatial_shapes: Tensor,
    level_start_index: Tensor,
    reference_points: Tensor,
    offsets: Tensor,
    logits: Tensor,
) -> Tensor:
    """Softmax of the logits, locations around the references, and the weighted sum of the samples there.

    Shapes: B images, S cells of all levels in a row, H heads, D channels a head, Q queries, L levels, P points.

    Args:
        value, spatial_shapes, level_start_index: as in ``multi_scale_deformable_attn``.
        reference_points: (B, Q, L, 2) xy, or (B, Q, L, 4) cxcywh; in [0, 1] of each level's padded map.
        offsets: (B, Q, H, L, P, 2) xy: around a point in cells of the level; around a box, P of them reach from its
            centre to its border.
        logits: (B, Q, H, L, P), of which the attention weights are a softmax over L * P.

    Returns:
        (B, Q, H * D) in the dtype of ``value``; gradients flow to ``value``, references, offsets and logits. The
        computation itself runs in the widest dtype of the four float tensors, at least float32. A location that is not
        finite gives NaN.

    Raises:
        ValueError: the last dimension of ``reference_points`` is neither 2 nor 4, or shapes do not fit together.
        BackendError: a backend was asked for that is unknown or cannot run here.
    """
    _check_shapes(value, spatial_shapes, level_start_index, reference_points, offsets, logits)
    fused = choose_backend(value).fused
    if fused is not None:
        return fused(value, spatial_shapes, level_start_index, reference_points, offsets, logits)
    return multi_scale_deformable_attn(
        value,
        spatial_shapes,
        level_start_index,
        sampling_locations(reference_points, offsets, spatial_shapes),
        attention_weights(logits),
    )


def attention_weights(logits: Tensor) -> Tensor:
    """(B, Q, H, L, P) logits -> weights that sum to 1 over L * P."""
    return logits.flatten(-2).softmax(-1).view(logits.shape)


def sampling_locations(references: Tensor, offsets: Tensor, spatial_shapes: Tensor) -> Tensor:
    """(B, Q, H, L, P, 2) xy in [0, 1]; arguments as in ``fused_deformable_attn``."""
    references = references[:, :, None, :, None]
    if references.shape[-1] == 2:
        return references + offsets / spatial_shapes.flip(-1)[:, None]
    if references.shape[-1] == 4:
        return references[..., :2] + offsets / offsets.shape[-2] * references[..., 2:] * 0.5
    raise ValueError(_REFERENCES.format(references.shape[-1]))


_REFERENCES = "Deformable attention expects reference_points with a last dimension of 2 (xy) or 4 (cxcywh). Got {}."


def _check_shapes(
    value: Tensor, shapes: Tensor, starts: Tensor, references: Tensor, offsets: Tensor, logits: Tensor
) -> None:
    queries, points = (offsets.shape[1], offsets.shape[4]) if offsets.ndim == 6 else (-1, -1)
    check_values_and_levels("fused_deformable_attn", value, shapes, starts)
    numbers = references.shape[-1] if references.ndim else 0
    if numbers not in (2, 4):
        raise ValueError(_REFERENCES.format(numbers))
    images, heads, levels = value.shape[0], value.shape[2], shapes.shape[0]
    check_shapes(
        "fused_deformable_attn",
        {
            "offsets": (offsets, (images, queries, heads, levels, points, 2)),
            "logits": (logits, (images, queries, heads, levels, points)),
            "reference_points": (references, (images, queries, levels, numbers)),
        },
    )
