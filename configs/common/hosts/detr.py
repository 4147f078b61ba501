"""DETR R50 (detrex: detr_r50): the last map of the backbone, 100 learned positions, boxes without references."""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.hosts import (
    DETR,
    DetrTransformer,
    DetrTransformerDecoder,
    DetrTransformerEncoder,
    ResNet,
    resnet_channels,
)
from dsct_detrex.layers import PositionEmbeddingSine

_layers = dict(
    embed_dim="${...embed_dim}",
    num_heads=8,
    attn_dropout=0.1,
    feedforward_dim=2048,
    ffn_dropout=0.1,
    num_layers=6,
)

host = L(DETR)(
    backbone=L(ResNet)(depth=50, out_features="${..in_features}", freeze_at=1, norm="FrozenBN"),
    in_features=["res5"],
    in_channels=L(resnet_channels)(depth="${..backbone.depth}", names="${..in_features}"),
    position_embedding=L(PositionEmbeddingSine)(num_pos_feats=128, temperature=10000, normalize=True),
    transformer=L(DetrTransformer)(
        encoder=L(DetrTransformerEncoder)(**_layers, post_norm=False),
        decoder=L(DetrTransformerDecoder)(**_layers, post_norm=True, return_intermediate=True),
    ),
    embed_dim=256,
    num_classes=80,
    num_queries=100,
)

detrex = dict(config="detr/detr_r50", changes=dict())
