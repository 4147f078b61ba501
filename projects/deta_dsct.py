"""DSCT on DETA R50, five feature levels; subjects are assigned by overlap."""

from .deformable_detr_dsct import classification, data, dataloader, emotions, host, hosts, lr_multiplier, model
from .deformable_detr_dsct import evaluation, optimizer, subject_training, train

host.name = "deta"
train.output_dir = "runs/deta_dsct"
