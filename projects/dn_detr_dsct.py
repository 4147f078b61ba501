"""DSCT on DN-DETR R50: DAB-DETR's layers; denoising of subjects is on."""

from .deformable_detr_dsct import *

host.name = "dn_detr"
train.output_dir = "runs/dn_detr_dsct"
