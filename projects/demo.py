"""The demo: DSCT small enough to learn drawn scenes on two CPU cores in minutes (``make demo``).

From scratch, unless ``train.init_checkpoint=projects/demo_objects.safetensors`` starts it from a detector of drawn
things (``projects/demo_objects.py``), as the paper starts from one of COCO's. ``make demo`` does.
"""

from dsct_detrex.config import CosineParamScheduler
from dsct_detrex.config import LazyCall as L

from .deformable_detr_dsct import classification, data, dataloader, emotions, host, hosts, lr_multiplier, model
from .deformable_detr_dsct import evaluation, optimizer, subject_training, train

# Pictures of 192 x 144 pixels, as they are drawn: no resizing.
for _loader in (dataloader.train, dataloader.test):
    _loader.dataset.size = (192, 144)
dataloader.train.mapper.transforms.scales = (144,)
dataloader.test.mapper.transforms.size = 144
dataloader.train.dataset.length = 100_000  # as good as endless: no scene is seen twice
dataloader.test.dataset.length = 200
dataloader.train.total_batch_size = 16
dataloader.train.num_workers = 1
dataloader.test.batch_size = 16
dataloader.test.num_workers = 1

# ResNet-18 without its last stage: ordinary batch norm, nothing frozen, full learning rate.
_host = hosts[host.name]
_host.backbone.depth = 18
_host.backbone.out_features = ["res3", "res4"]
_host.backbone.norm = "BN"
_host.backbone.freeze_at = 0
_host.embed_dim = 128
_host.position_embedding.num_pos_feats = 64
_host.num_queries = 60
_host.transformer.num_feature_levels = 3
for _part, _layers in ((_host.transformer.encoder, 1), (_host.transformer.decoder, 3)):
    _part.num_layers = _layers
    _part.feedforward_dim = 256
    _part.attn_dropout = _part.ffn_dropout = 0.0

model.num_subjects = 8
model.aggregation.formula = "paper"  # Eq. 8 as printed; on the val split a little ahead of the released formula
model.aggregation.k_spatial = 20
model.aggregation.k_semantic = 10

optimizer.lr = 5e-4
optimizer.params.lr_factor_func.rules = {"sampling_offsets": 0.1}
lr_multiplier.scheduler = L(CosineParamScheduler)(start_value=1.0, end_value=0.02)
lr_multiplier.warmup_length = 0.02
train.max_epoch = None
train.max_iter = 480
train.eval_period = 160
train.checkpointer.max_to_keep = 0
train.output_dir = "runs/demo/dsct"
