"""DSCT on DAB-DETR R50: context queries are anchor boxes, refined layer by layer."""

from .deformable_detr_dsct import *

host.name = "dab_detr"
train.output_dir = "runs/dab_detr_dsct"
