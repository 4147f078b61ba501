"""DSCT on DETR R50: one feature map, context queries without references."""

from .deformable_detr_dsct import *

host.name = "detr"
train.output_dir = "runs/detr_dsct"
