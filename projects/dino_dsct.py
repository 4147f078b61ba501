"""DSCT on DINO R50, four feature levels; contrastive denoising of subjects is on."""

from .deformable_detr_dsct import classification, data, dataloader, emotions, host, hosts, lr_multiplier, model
from .deformable_detr_dsct import evaluation, optimizer, subject_training, train

host.name = "dino"
train.output_dir = "runs/dino_dsct"
