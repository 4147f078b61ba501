"""EMO-Net-R50: the two-stage baseline of the paper's Table 4, from annotated boxes, under DSCT's data and protocols."""

from dsct_detrex.baselines import AnnotatedBoxes, EMONet
from dsct_detrex.config import LazyCall as L
from dsct_detrex.config import get_config
from dsct_detrex.hosts import ResNet

_base = get_config("common/base.py")
train, dataloader = _base.train, _base.dataloader
optimizer, lr_multiplier = _base.optimizer, _base.lr_multiplier
emotions, classification, data = _base.emotions, _base.classification, _base.data

_branch = L(ResNet)(depth=50, out_features=["res5"], freeze_at=1, norm="FrozenBN")

model = L(EMONet)(
    subject_backbone=_branch,
    context_backbone=_branch,
    emotions="${emotions}",
    classification="${classification}",
    boxes=L(AnnotatedBoxes)(),
    mask_subjects=False,
    subject_size=128,
    context_size=224,
    hidden_dim=256,
    dropout=0.5,
    pixel_mean=[123.675, 116.28, 103.53],
    pixel_std=[58.395, 57.12, 57.375],
    device="cpu",
)
evaluation = dict(protocol="official")  # given boxes need no suppression; read by the evaluator of any data set
train.output_dir = "runs/emo_net_r50"
