"""Conditional-DETR R50 (detrex: conditional_detr_r50): DETR with conditional attention and a point for each query."""

from torch import nn

from dsct_detrex.config import LazyCall as L
from dsct_detrex.hosts import (
    ConditionalDETR,
    ConditionalDetrTransformer,
    ConditionalDetrTransformerDecoder,
    ConditionalDetrTransformerEncoder,
)

from .detr import host

host._target_ = ConditionalDETR
host.transformer._target_ = ConditionalDetrTransformer
host.transformer.encoder._target_ = ConditionalDetrTransformerEncoder
host.transformer.decoder._target_ = ConditionalDetrTransformerDecoder
host.transformer.encoder.activation = host.transformer.decoder.activation = L(nn.ReLU)()
host.num_queries = 300

detrex = dict(config="conditional_detr/conditional_detr_r50", changes=dict())
