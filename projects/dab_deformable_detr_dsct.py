"""DSCT on DAB-Deformable-DETR R50: anchor boxes on four feature levels."""

from .deformable_detr_dsct import *

host.name = "dab_deformable_detr"
train.output_dir = "runs/dab_deformable_detr_dsct"
