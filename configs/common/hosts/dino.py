"""DINO R50, 4 scales (detrex: dino_r50): Deformable-DETR's skeleton, 900 proposals, look forward twice, wider FFN."""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.hosts import DINO, DINOTransformer, DINOTransformerDecoder, DINOTransformerEncoder
from dsct_detrex.objective import Denoising

from .deformable_detr import host as _base

_parts = dict(
    embed_dim="${...embed_dim}",
    num_heads=8,
    feedforward_dim=2048,
    attn_dropout=0.0,
    ffn_dropout=0.0,
    num_layers=6,
    num_feature_levels="${..num_feature_levels}",
    use_checkpoint=False,
)

host = L(DINO)(
    backbone=_base.backbone,
    position_embedding=_base.position_embedding,
    neck=_base.neck,
    transformer=L(DINOTransformer)(
        encoder=L(DINOTransformerEncoder)(**_parts, post_norm=False),
        decoder=L(DINOTransformerDecoder)(**_parts, return_intermediate=True, look_forward_twice=True),
        num_feature_levels=4,
        two_stage_num_proposals="${..num_queries}",
    ),
    embed_dim=256,
    num_classes=80,
    num_queries=900,
)

detrex = dict(config="dino/dino_r50", changes=dict())

# Contrastive denoising: dn_number=100 are as many groups of one person, 200 queries with the negatives; the released
# code halves its label_noise_ratio=0.5.
training = dict(
    denoising=L(Denoising)(
        num_groups=100, max_queries=200, label_noise=0.25, box_noise=1.0, contrastive=True, weight=1.0
    )
)
