"""Deformable-DETR R50, one-stage, without refinement: the host of the paper (detrex: deformable_detr_r50)."""

from torch import nn

from dsct_detrex.config import LazyCall as L
from dsct_detrex.hosts import (
    DeformableDETR,
    DeformableDetrTransformer,
    DeformableDetrTransformerDecoder,
    DeformableDetrTransformerEncoder,
    ResNet,
    resnet_shapes,
)
from dsct_detrex.layers import ChannelMapper, PositionEmbeddingSine

host = L(DeformableDETR)(
    backbone=L(ResNet)(
        depth=50, width_per_group=64, out_features=["res3", "res4", "res5"], freeze_at=1, norm="FrozenBN"
    ),
    position_embedding=L(PositionEmbeddingSine)(num_pos_feats=128, temperature=10000, normalize=True, offset=-0.5),
    neck=L(ChannelMapper)(
        input_shapes=L(resnet_shapes)(depth="${...backbone.depth}", names="${..in_features}"),
        in_features="${..backbone.out_features}",
        out_channels="${..embed_dim}",
        num_outs="${..transformer.num_feature_levels}",
        kernel_size=1,
        norm_layer=L(nn.GroupNorm)(num_groups=32, num_channels="${...embed_dim}"),
    ),
    transformer=L(DeformableDetrTransformer)(
        encoder=L(DeformableDetrTransformerEncoder)(
            embed_dim="${...embed_dim}",
            num_heads=8,
            feedforward_dim=1024,
            attn_dropout=0.1,
            ffn_dropout=0.1,
            num_layers=6,
            post_norm=False,
            num_feature_levels="${..num_feature_levels}",
        ),
        decoder=L(DeformableDetrTransformerDecoder)(
            embed_dim="${...embed_dim}",
            num_heads=8,
            feedforward_dim=1024,
            attn_dropout=0.1,
            ffn_dropout=0.1,
            num_layers=6,
            return_intermediate=True,
            num_feature_levels="${..num_feature_levels}",
        ),
        as_two_stage="${..as_two_stage}",
        num_feature_levels=4,
        two_stage_num_proposals="${..num_queries}",
    ),
    embed_dim=256,
    num_classes=80,
    num_queries=300,
    with_box_refine=False,
    as_two_stage=False,
    select_box_nums_for_evaluation=300,
)

detrex = dict(config="deformable_detr/deformable_detr_r50", changes=dict())
