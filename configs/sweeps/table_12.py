"""Table 12: early and late fusion of subject and context, by the number of people in the image.

From late to early: two branches joined behind their pooled features (EMO-Net), then DSCT fusing in the last decoder
layer, in the last three, in the first three, in all six.
"""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.sweep import Sweep

from .notes import paper

_six_layers = "hosts.deformable_detr.transformer.decoder.num_layers=6"  # at any scale
_layers = {
    "last": ("DSCT, last layer", "[5]"),
    "late": ("DSCT, last three layers", "[3,4,5]"),
    "early": ("DSCT, first three layers", "[0,1,2]"),
    "all": ("DSCT, all layers", "null"),
}

sweep = L(Sweep)(
    name="table_12",
    title="early and late fusion, by number of people",
    paper_table="Table 12",
    axis="Fusion",
    cells=[
        dict(name="emo_net_r50", label="EMO-Net-R50, behind both", base="projects/emo_net_r50.py"),
        *[
            dict(
                name=name,
                label=label,
                overrides=[_six_layers, f"model.fusion_layers={layers}"],
                paper=paper.full_model if name == "all" else None,
            )
            for name, (label, layers) in _layers.items()
        ],
    ],
    by_people=True,
    note="The rows are our reading of early and late; EMO-Net is given the annotated boxes. Of the paper's numbers "
    "only its main result was at hand: it stands in the row of the full model.",
)
