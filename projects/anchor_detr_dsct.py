"""DSCT on Anchor-DETR R50: patterns at anchor points, row-column decoupled attention."""

from .deformable_detr_dsct import *

host.name = "anchor_detr"
train.output_dir = "runs/anchor_detr_dsct"
