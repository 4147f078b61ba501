"""DETA R50, 5 scales (detrex: deta_r50): two-stage Deformable-DETR, 900 proposals picked by NMS, res2 frozen too."""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.hosts import DETA, DETATransformer
from dsct_detrex.objective import IoUAssigner

from .deformable_detr_two_stage import host

host._target_ = DETA
host.transformer._target_ = DETATransformer
host.backbone.freeze_at = 2
host.transformer.num_feature_levels = 5
host.transformer.assign_first_stage = True
for _part in (host.transformer.encoder, host.transformer.decoder):
    _part.feedforward_dim = 2048
    _part.attn_dropout = _part.ffn_dropout = 0.0
host.num_queries = 900

detrex = dict(config="deta/deta_r50", changes=dict())

# Assignment by overlap, as in the second stage. Needs NMS in evaluation: report protocol `paper`.
training = dict(matcher=L(IoUAssigner)(threshold=0.6, max_queries_per_person=4))
