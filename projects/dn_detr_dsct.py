"""DSCT on DN-DETR R50: DAB-DETR's layers; denoising of subjects is on."""

from .deformable_detr_dsct import classification, data, dataloader, emotions, host, hosts, lr_multiplier, model
from .deformable_detr_dsct import evaluation, optimizer, subject_training, train

host.name = "dn_detr"
train.output_dir = "runs/dn_detr_dsct"
