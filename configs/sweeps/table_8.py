"""Table 8: in which of the six decoder layers subjects and contexts fuse."""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.sweep import Sweep

from .notes import paper, rows_are_ours

_layers = {
    "none": "[]",
    "first": "[0]",
    "last": "[5]",
    "first_three": "[0,1,2]",
    "last_three": "[3,4,5]",
    "all": "null",
}

sweep = L(Sweep)(
    name="table_8",
    title="layers that fuse",
    paper_table="Table 8",
    axis="Fusing layers",
    overrides=["hosts.deformable_detr.transformer.decoder.num_layers=6"],  # six at any scale
    cells=[
        dict(
            name=name,
            label=name.replace("_", " "),
            overrides=[f"model.fusion_layers={layers}"],
            paper=paper.full_model if name == "all" else None,
        )
        for name, layers in _layers.items()
    ],
    note=rows_are_ours["note"],
)
