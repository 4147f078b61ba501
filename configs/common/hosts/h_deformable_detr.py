"""H-Deformable-DETR R50 as released (detrex: h_deformable_detr_r50_two_stage): contents learned, anchors proposed.

Two-stage Deformable-DETR with a wider FFN, look forward twice and mixed selection of 300 proposals. Its checkpoint has
contents for 1500 one-to-many queries more, which only the host's own training uses.
"""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.hosts import (
    HDeformableDETR,
    HDeformableDetrTransformer,
    HDeformableDetrTransformerDecoder,
    HDeformableDetrTransformerEncoder,
)
from dsct_detrex.objective import OneToMany

from .deformable_detr_two_stage import host

host._target_ = HDeformableDETR
host.transformer._target_ = HDeformableDetrTransformer
host.transformer.encoder._target_ = HDeformableDetrTransformerEncoder
host.transformer.decoder._target_ = HDeformableDetrTransformerDecoder
for _part in (host.transformer.encoder, host.transformer.decoder):
    _part.feedforward_dim = 2048
    _part.attn_dropout = _part.ffn_dropout = 0.0
host.transformer.decoder.look_forward_twice = True
host.transformer.mixed_selection = "${..mixed_selection}"
host.transformer.two_stage_num_proposals = "${..num_queries_one2one}"
del host.num_queries
host.num_queries_one2one = 300
host.num_queries_one2many = 1500
host.mixed_selection = True

# The base config cannot run (it looks forward twice without refining); this is the one that was released.
detrex = dict(config="h_deformable_detr/h_deformable_detr_r50", changes=dict(with_box_refine=True, as_two_stage=True))

# One-to-many subjects: five times as many as the 9 of inference (1500 of 300), every person repeated 6 times.
training = dict(one_to_many=L(OneToMany)(num_queries=45, repeats=6, weight=1.0))
