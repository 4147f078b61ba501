"""DSCT on Conditional-DETR R50: context queries at learned points."""

from .deformable_detr_dsct import *

host.name = "conditional_detr"
train.output_dir = "runs/conditional_detr_dsct"
