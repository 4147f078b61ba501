"""Table 9: the backbone."""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.sweep import Sweep

from .notes import paper, rows_are_ours

sweep = L(Sweep)(
    name="table_9",
    title="backbones",
    paper_table="Table 9",
    axis="Backbone",
    cells=[
        dict(
            name=f"r{depth}",
            label=f"ResNet-{depth}",
            overrides=[f"hosts.deformable_detr.backbone.depth={depth}"],
            paper=paper.full_model if depth == 50 else None,
        )
        for depth in (18, 34, 50, 101)
    ],
    note=rows_are_ours["note"],
)
