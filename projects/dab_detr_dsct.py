"""DSCT on DAB-DETR R50: context queries are anchor boxes, refined layer by layer."""

from .deformable_detr_dsct import classification, data, dataloader, emotions, host, hosts, lr_multiplier, model
from .deformable_detr_dsct import evaluation, optimizer, subject_training, train

host.name = "dab_detr"
train.output_dir = "runs/dab_detr_dsct"
