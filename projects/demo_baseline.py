"""The demo's baseline: the same network without context queries and without fusion (paper Table 6, first row)."""

from .demo import classification, data, dataloader, emotions, host, hosts, lr_multiplier, model
from .demo import evaluation, optimizer, subject_training, train

model.use_contexts = False
model.aggregation = None
train.output_dir = "runs/demo/baseline"
