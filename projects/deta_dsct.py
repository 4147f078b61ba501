"""DSCT on DETA R50, five feature levels; subjects are assigned by overlap."""

from .deformable_detr_dsct import *

host.name = "deta"
train.output_dir = "runs/deta_dsct"
