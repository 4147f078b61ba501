"""Table 7: how the chosen contexts are weighted."""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.sweep import Sweep

from .notes import paper, rows_are_ours

sweep = L(Sweep)(
    name="table_7",
    title="re-weighting of the chosen contexts",
    paper_table="Table 7",
    axis="Re-weighting",
    cells=[
        dict(
            name=name,
            overrides=[f"model.aggregation.reweighting={name}"],
            paper=paper.full_model if name == "semantic" else None,
        )
        for name in ("equal", "spatial", "attentive", "semantic")
    ],
    note=rows_are_ours["note"],
)
