"""DSCT on DAB-Deformable-DETR R50: anchor boxes on four feature levels."""

from .deformable_detr_dsct import classification, data, dataloader, emotions, host, hosts, lr_multiplier, model
from .deformable_detr_dsct import evaluation, optimizer, subject_training, train

host.name = "dab_deformable_detr"
train.output_dir = "runs/dab_deformable_detr_dsct"
