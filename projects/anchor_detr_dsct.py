"""DSCT on Anchor-DETR R50: patterns at anchor points, row-column decoupled attention."""

from .deformable_detr_dsct import classification, data, dataloader, emotions, host, hosts, lr_multiplier, model
from .deformable_detr_dsct import evaluation, optimizer, subject_training, train

host.name = "anchor_detr"
train.output_dir = "runs/anchor_detr_dsct"
