"""DSCT on Conditional-DETR R50: context queries at learned points."""

from .deformable_detr_dsct import classification, data, dataloader, emotions, host, hosts, lr_multiplier, model
from .deformable_detr_dsct import evaluation, optimizer, subject_training, train

host.name = "conditional_detr"
train.output_dir = "runs/conditional_detr_dsct"
