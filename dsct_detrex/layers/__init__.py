"""Building blocks of the hosts: attention, feed-forward, positions, neck, boxes. Parameter names as in detrex."""

from dsct_detrex.layers.attention import MultiheadAttention
from dsct_detrex.layers.boxes import (
    apply_box_offsets,
    box_area,
    box_cxcywh_to_xyxy,
    box_iou,
    box_xyxy_to_cxcywh,
    elementwise_box_iou,
    elementwise_generalized_box_iou,
    generalized_box_iou,
    inverse_sigmoid,
)
from dsct_detrex.layers.channel_mapper import ChannelMapper, ConvNormAct, ShapeSpec
from dsct_detrex.layers.conditional_attention import (
    ConditionalCrossAttention,
    ConditionalSelfAttention,
    modulate_by_size,
)
from dsct_detrex.layers.mlp import FFN, MLP
from dsct_detrex.layers.multi_scale_deform_attn import MultiScaleDeformableAttention
from dsct_detrex.layers.position_embedding import (
    PositionEmbeddingLearned,
    PositionEmbeddingSine,
    get_sine_pos_embed,
    row_column_centres,
)
from dsct_detrex.layers.row_column_attention import MultiheadRCDA
from dsct_detrex.layers.transformer_layer import BaseTransformerLayer, TransformerLayerSequence

__all__ = [
    "FFN",
    "MLP",
    "BaseTransformerLayer",
    "ChannelMapper",
    "ConditionalCrossAttention",
    "ConditionalSelfAttention",
    "ConvNormAct",
    "MultiScaleDeformableAttention",
    "MultiheadAttention",
    "MultiheadRCDA",
    "PositionEmbeddingLearned",
    "PositionEmbeddingSine",
    "ShapeSpec",
    "TransformerLayerSequence",
    "apply_box_offsets",
    "box_area",
    "box_cxcywh_to_xyxy",
    "box_iou",
    "box_xyxy_to_cxcywh",
    "elementwise_box_iou",
    "elementwise_generalized_box_iou",
    "generalized_box_iou",
    "get_sine_pos_embed",
    "inverse_sigmoid",
    "modulate_by_size",
    "row_column_centres",
]
