"""The demo's network as a detector of things: what ``projects/demo.py`` can start from, as the paper starts from COCO.

``demo_objects.safetensors`` beside this file is what these two made; ``make demo`` starts from it:

    dsct train --config demo_objects
    dsct convert runs/demo/objects/last.safetensors projects/demo_objects.safetensors --config demo_objects --half
"""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.config import get_config
from dsct_detrex.objective import Denoising, OneToMany, TokenLoss
from dsct_detrex.structures import number_of_classes

from .demo import host, hosts, lr_multiplier, optimizer, subject_training, train

_detection, _data = get_config("common/detection.py"), get_config("common/objects/synthetic.py")
model = _detection.model
emotions, classification, data, dataloader = _data.emotions, _data.classification, _data.data, _data.dataloader

for _loader in (dataloader.train, dataloader.test):
    _loader.dataset.size = (192, 144)
dataloader.train.mapper.transforms.scales = (144,)
dataloader.test.mapper.transforms.size = 144
dataloader.train.total_batch_size = 8
dataloader.train.num_workers = 1
dataloader.test.dataset.length = 200
dataloader.test.batch_size = 16
dataloader.test.num_workers = 1

for _host in hosts.values():
    (_host if "num_classes" in _host else _host.transformer).num_classes = L(number_of_classes)(classes="${emotions}")

# These exist in training only, so the network stays the demo's.
model.denoising = L(Denoising)(num_groups=5, max_queries=100, label_noise=0.2, box_noise=0.4)
model.token_loss = L(TokenLoss)(repeats=4)
model.one_to_many = L(OneToMany)(num_queries=100, repeats=4)

train.max_iter = 3200
train.eval_period = 400
train.checkpointer.period = 400
train.output_dir = "runs/demo/objects"
