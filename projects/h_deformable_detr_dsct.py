"""DSCT on H-Deformable-DETR R50, two-stage with mixed selection; one-to-many subjects are on."""

from .deformable_detr_dsct import classification, data, dataloader, emotions, host, hosts, lr_multiplier, model
from .deformable_detr_dsct import evaluation, optimizer, subject_training, train

host.name = "h_deformable_detr"
train.output_dir = "runs/h_deformable_detr_dsct"
