"""What every DSCT project starts from: the model on its default host, synthetic scenes, and the paper's recipe."""

from dsct_detrex.config import get_config

_dsct = get_config("common/dsct.py")
_data = get_config("common/data/synthetic.py")

model, host, hosts, subject_training = _dsct.model, _dsct.host, _dsct.hosts, _dsct.subject_training
emotions, classification, data, dataloader = _data.emotions, _data.classification, _data.data, _data.dataloader
evaluation = dict(
    protocol="paper"
)  # or official, strict (evaluation/protocols.py); read by the evaluator of any data set
train = get_config("common/train.py").train
optimizer = get_config("common/optim.py").optimizer
lr_multiplier = get_config("common/schedule.py").lr_multiplier
