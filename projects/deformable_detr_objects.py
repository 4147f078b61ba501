"""Deformable-DETR R50 as a detector of things, for DSCT to start from; ``host.name=dino`` trains any other host."""

from dsct_detrex.config import get_config

_detection, _data = get_config("common/detection.py"), get_config("common/objects/synthetic.py")
model, host, hosts, subject_training = (
    _detection.model,
    _detection.host,
    _detection.hosts,
    _detection.subject_training,
)
emotions, classification, data, dataloader = _data.emotions, _data.classification, _data.data, _data.dataloader
train = get_config("common/train.py").train
optimizer = get_config("common/optim.py").optimizer
lr_multiplier = get_config("common/schedule.py").lr_multiplier

train.output_dir = "runs/deformable_detr_objects"
