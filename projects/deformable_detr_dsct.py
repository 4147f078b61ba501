"""DSCT on Deformable-DETR R50: the paper's own model."""

from dsct_detrex.config import get_config

_base = get_config("common/base.py")
train, model, dataloader = _base.train, _base.model, _base.dataloader
optimizer, lr_multiplier = _base.optimizer, _base.lr_multiplier
emotions, classification, data = _base.emotions, _base.classification, _base.data
evaluation = _base.evaluation
host, hosts, subject_training = _base.host, _base.hosts, _base.subject_training

host.name = "deformable_detr"
train.output_dir = "runs/deformable_detr_dsct"
