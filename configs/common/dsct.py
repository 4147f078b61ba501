"""DSCT itself: every switch of the paper's ablations, on any host of the table (``host.name=dino`` swaps it).

Numbers that paper and released code disagree on follow the code where its fixtures decide (docs/paper-vs-code.md).
"""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.config import get_config
from dsct_detrex.dsct import DSCT, HostTraining, RelationalAggregation, context_detection
from dsct_detrex.modalities import FrozenNetwork, ModalityMemory
from dsct_detrex.objective import DSCTCriterion, HungarianMatcher, MultiClassFocal

host = dict(name="deformable_detr", provider="embedded")  # provider: set by --hosts-from, or in a file
_table = get_config("common/hosts.py")
hosts, subject_training = _table.hosts, _table.subject_training

model = L(DSCT)(
    host="${hosts.${host.name}}",
    emotions="${emotions}",
    # N of the data set, by its kind of emotions: 4 for EMOTIC's, 9 for CAER-S's (Table 5) and for any other.
    num_subjects="${oc.select:subject_training.default.num_subjects.${oc.select:emotions.name,other},9}",
    # Training options of the chosen host, where it is known for one (docs/training-options.md); null switches one off.
    denoising="${oc.select:subject_training.${host.name}.denoising,null}",
    one_to_many="${oc.select:subject_training.${host.name}.one_to_many,null}",
    aggregation=L(RelationalAggregation)(
        formula="official",
        k_spatial=100,
        k_semantic=50,
        semantic_order="largest",
        reweighting="semantic",
        embed_dim="${model.host.embed_dim}",
        scale_products=False,
        project=False,
        num_heads=8,
        gather="contexts",  # "self" is the control: the same weights, nothing gathered
    ),
    fusion_layers=None,
    placement="before_ffn",
    use_contexts=True,
    contexts_see_subjects=True,
    distance_frame="unpadded",
    shared_heads=None,
    activation_checkpointing=False,
    criterion=L(DSCTCriterion)(
        matcher="${oc.select:subject_training.${host.name}.matcher,${subject_training.default.matcher}}",
        classification="${classification}",
        # lambda of Eq. 3 (paper 4.1; GIoU as in the official run.sh)
        weight_class=5.0,
        weight_bbox=5.0,
        weight_giou=2.0,
        aux_loss=True,
    ),
    # A detection loss on contexts (docs/contexts.md): on things that the data annotate (data.objects), or on what the
    # frozen start detects (teacher_threshold=0.3); without either there is none.
    context_detection=L(context_detection)(
        classes="${oc.select:data.object_classes,null}",
        criterion=L(DSCTCriterion)(
            matcher=L(HungarianMatcher)(
                classification=L(MultiClassFocal)(alpha=0.25, gamma=2.0), cost_class=2.0, cost_bbox=5.0, cost_giou=2.0
            ),
            classification=L(MultiClassFocal)(alpha=0.25, gamma=2.0),
            # as in Deformable-DETR
            weight_class=2.0,
            weight_bbox=5.0,
            weight_giou=2.0,
            aux_loss=True,
        ),
        weight=1.0,
        teacher_threshold=None,
    ),
    # What of the host trains (docs/training-hosts.md): all but what no loss reaches; names in `frozen` rest too.
    host_training=L(HostTraining)(frozen=[], dead="freeze"),
    # Two-stage hosts: L(ProposalLoss)() keeps the encoder proposing people; off, as the first stage stays as loaded.
    proposal_loss=None,
    # Table 13 (docs/modalities.md): frozen networks whose maps join the memory; `use` names those that are built.
    modalities=L(ModalityMemory)(
        embed_dim="${model.host.embed_dim}",
        use=[],
        scene=L(FrozenNetwork)(architecture="resnet50", layers=["layer2", "layer3", "layer4"], weights=None),
        semantic=L(FrozenNetwork)(
            architecture="deeplabv3_resnet50", layers=["layer2", "layer3", "layer4"], weights=None
        ),
        instance=L(FrozenNetwork)(architecture="maskrcnn_resnet50_fpn", layers=None, weights=None),
    ),
    pixel_mean=[123.675, 116.28, 103.53],
    pixel_std=[58.395, 57.12, 57.375],
    device="cpu",
)
