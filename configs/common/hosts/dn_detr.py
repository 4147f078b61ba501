"""DN-DETR R50 (detrex: dn_detr_r50): DAB-DETR's layers, and a label as content of each query."""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.hosts import DNDETR, DNDetrTransformer, DNDetrTransformerDecoder, DNDetrTransformerEncoder
from dsct_detrex.objective import Denoising

from .dab_detr import host

host._target_ = DNDETR
host.transformer._target_ = DNDetrTransformer
host.transformer.encoder._target_ = DNDetrTransformerEncoder
host.transformer.decoder._target_ = DNDetrTransformerDecoder
del host.transformer.num_patterns
host.freeze_anchor_box_centers = False
host.with_indicator = True

detrex = dict(config="dn_detr/dn_detr_r50", changes=dict())

# denoising_groups=5, label_noise_prob=0.2, box_noise_scale=0.4.
training = dict(
    denoising=L(Denoising)(num_groups=5, max_queries=200, label_noise=0.2, box_noise=0.4, contrastive=False)
)
