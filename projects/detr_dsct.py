"""DSCT on DETR R50: one feature map, context queries without references."""

from .deformable_detr_dsct import classification, data, dataloader, emotions, host, hosts, lr_multiplier, model
from .deformable_detr_dsct import evaluation, optimizer, subject_training, train

host.name = "detr"
train.output_dir = "runs/detr_dsct"
