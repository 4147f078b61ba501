"""Class and box heads: one pair for each decoder layer, tied or not (deformable family), or one for all layers.

Source: Deformable DETR, arXiv:2010.04159, appendix; initial values and ties as in detrex's projects/deformable_detr.
"""

import copy
import math

from torch import nn

from dsct_detrex.layers.mlp import MLP

# A fresh class head calls every query an object of a class with this probability (focal loss, arXiv:1708.02002).
PRIOR_PROBABILITY = 0.01


def prediction_heads(
    embed_dim: int, num_classes: int, num_heads: int, tied: bool, initial_size_logit: float
) -> tuple[nn.ModuleList, nn.ModuleList]:
    """Fresh heads.

    Args:
        num_heads: pairs of heads: decoder layers, plus one for the first stage.
        tied: every layer uses the same pair; else equal copies.
        initial_size_logit: what the first fresh box head adds to width and height. Where it draws boxes around bare
            points, sigmoid(-2) = 0.12 is a sensible side; where references are boxes already, 0 leaves them as they
            are.

    Returns:
        class heads, (..., embed_dim) to (..., num_classes) logits, and box heads, to (..., 4) offsets in logit space.
    """
    class_head = nn.Linear(embed_dim, num_classes)
    nn.init.constant_(class_head.bias, -math.log((1 - PRIOR_PROBABILITY) / PRIOR_PROBABILITY))
    box_head = MLP(embed_dim, embed_dim, 4, 3)
    nn.init.zeros_(_last(box_head).weight)
    nn.init.zeros_(_last(box_head).bias)
    if tied:
        class_heads, box_heads = [class_head] * num_heads, [box_head] * num_heads
    else:
        class_heads = [copy.deepcopy(class_head) for _ in range(num_heads)]
        box_heads = [copy.deepcopy(box_head) for _ in range(num_heads)]
    nn.init.constant_(_last(box_heads[0]).bias[2:], initial_size_logit)
    return nn.ModuleList(class_heads), nn.ModuleList(box_heads)


def shared_heads(embed_dim: int, num_classes: int) -> tuple[nn.Module, nn.Module]:
    """One fresh class head and one fresh box head for all layers; boxes start as the references themselves."""
    class_heads, box_heads = prediction_heads(embed_dim, num_classes, 1, tied=True, initial_size_logit=0.0)
    return class_heads[0], box_heads[0]


def _last(box_head: MLP) -> nn.Linear:
    last = box_head.layers[-1]
    assert isinstance(last, nn.Linear)
    return last
