"""Anchor-DETR R50, row-column decoupled attention (detrex: anchor_detr_r50): one map, 3 patterns at 300 points."""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.hosts import AnchorDETR, AnchorDETRTransformer, TorchvisionResNet, torchvision_channels

host = L(AnchorDETR)(
    backbone=L(TorchvisionResNet)(
        name="resnet50", train_backbone=True, dilation=False, return_layers={"layer4": "res5"}
    ),
    in_features=["res5"],
    in_channels=L(torchvision_channels)(name="${..backbone.name}"),
    transformer=L(AnchorDETRTransformer)(
        embed_dim="${..embed_dim}",
        num_heads=8,
        num_encoder_layers=6,
        num_decoder_layers=6,
        dim_feedforward=1024,
        dropout=0.0,
        activation="relu",
        num_query_position=300,
        num_query_pattern=3,
        spatial_prior="learned",
        attention_type="RCDA",
        num_classes=80,
    ),
    embed_dim=256,
)

detrex = dict(config="anchor_detr/anchor_detr_r50", changes=dict())
