"""DAB-DETR R50 (detrex: dab_detr_r50): Conditional-DETR with anchor boxes, refined; no dropout, PReLU."""

from torch import nn

from dsct_detrex.config import LazyCall as L
from dsct_detrex.hosts import DABDETR, DabDetrTransformer, DabDetrTransformerDecoder, DabDetrTransformerEncoder

from .conditional_detr import host

host._target_ = DABDETR
host.transformer._target_ = DabDetrTransformer
host.transformer.encoder._target_ = DabDetrTransformerEncoder
host.transformer.decoder._target_ = DabDetrTransformerDecoder
for _part in (host.transformer.encoder, host.transformer.decoder):
    _part.attn_dropout = _part.ffn_dropout = 0.0
    _part.activation = L(nn.PReLU)()
host.transformer.decoder.modulate_hw_attn = True
host.transformer.num_patterns = 0
host.position_embedding.temperature = 20
host.freeze_anchor_box_centers = True

detrex = dict(config="dab_detr/dab_detr_r50", changes=dict())
