"""Table 8: in which of the six decoder layers subjects and contexts fuse."""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.sweep import Sweep

from .notes import six_layers

# name: label, layers counted from 0, the paper's mAP
_printed = {
    "all": ("1st to 6th", "null", 37.01),
    "second_to_last": ("2nd to 6th", "[1,2,3,4,5]", 36.58),
    "last_three": ("4th to 6th", "[3,4,5]", 36.82),
    "last": ("6th", "[5]", 36.44),
}
_ours = {"first": ("1st", "[0]"), "first_three": ("1st to 3rd", "[0,1,2]")}

sweep = L(Sweep)(
    name="table_8",
    title="layers that fuse",
    paper_table="Table 8",
    axis="Fusing layers",
    overrides=[six_layers],
    cells=[
        *(
            dict(name=name, label=label, overrides=[f"model.fusion_layers={layers}"], paper={"emotic": precision})
            for name, (label, layers, precision) in _printed.items()
        ),
        *(
            dict(name=name, label=label, overrides=[f"model.fusion_layers={layers}"], ours=True)
            for name, (label, layers) in _ours.items()
        ),
        dict(name="none", overrides=["model.aggregation=null"], ours=True),
    ],
    gaps=[dict(better="all", worse="last", paper={"emotic": 0.57}, about="all layers above the 6th only")],
    note="All layers is the full model, which has 37.26 mAP in the paper's other tables and 37.01 in this one.",
)
