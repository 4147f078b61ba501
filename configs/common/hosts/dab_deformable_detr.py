"""DAB-Deformable-DETR R50 (detrex: dab_deformable_detr_r50): Deformable-DETR with learned anchors and a wider FFN."""

from dsct_detrex.hosts import (
    DabDeformableDETR,
    DabDeformableDetrTransformer,
    DabDeformableDetrTransformerDecoder,
    DabDeformableDetrTransformerEncoder,
)

from .deformable_detr import host

host._target_ = DabDeformableDETR
host.transformer._target_ = DabDeformableDetrTransformer
host.transformer.encoder._target_ = DabDeformableDetrTransformerEncoder
host.transformer.decoder._target_ = DabDeformableDetrTransformerDecoder
for _part in (host.transformer.encoder, host.transformer.decoder):
    _part.feedforward_dim = 2048
    _part.attn_dropout = _part.ffn_dropout = 0.0
del host.with_box_refine  # always on

detrex = dict(config="dab_deformable_detr/dab_deformable_detr_r50", changes=dict())
