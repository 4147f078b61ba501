"""A host as a detector of things, on any host of the table (``host.name=dino`` swaps it), with DSCT's own losses."""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.config import get_config
from dsct_detrex.detection import Detector
from dsct_detrex.dsct import HostTraining
from dsct_detrex.objective import DSCTCriterion, HungarianMatcher, ProposalLoss
from dsct_detrex.structures import number_of_classes

host = dict(name="deformable_detr", provider="embedded")
_table = get_config("common/hosts.py")
hosts, subject_training = _table.hosts, _table.subject_training
for _host in hosts.values():  # class heads for the classes of the data; Anchor-DETR has them in its transformer
    (_host if "num_classes" in _host else _host.transformer).num_classes = L(number_of_classes)(classes="${emotions}")

model = L(Detector)(
    host="${hosts.${host.name}}",
    classes="${emotions}",
    # Training options of the chosen host, as for DSCT's subjects (docs/training-options.md); null switches one off.
    denoising="${oc.select:subject_training.${host.name}.denoising,null}",
    one_to_many="${oc.select:subject_training.${host.name}.one_to_many,null}",
    criterion=L(DSCTCriterion)(
        matcher=L(HungarianMatcher)(classification="${classification}", cost_class=2.0, cost_bbox=5.0, cost_giou=2.0),
        classification="${classification}",
        # as in Deformable-DETR
        weight_class=2.0,
        weight_bbox=5.0,
        weight_giou=2.0,
        aux_loss=True,
    ),
    proposal_loss=L(ProposalLoss)(),
    token_loss=None,  # L(TokenLoss)() where a host with feature levels starts from random weights
    host_training=L(HostTraining)(frozen=[], dead="freeze"),
    activation_checkpointing=False,
    max_detections=100,
    pixel_mean=[123.675, 116.28, 103.53],
    pixel_std=[58.395, 57.12, 57.375],
    device="cpu",
)
