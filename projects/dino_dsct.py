"""DSCT on DINO R50, four feature levels; contrastive denoising of subjects is on."""

from .deformable_detr_dsct import *

host.name = "dino"
train.output_dir = "runs/dino_dsct"
