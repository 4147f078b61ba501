"""Figure 11: how many contexts are chosen in space and in meaning."""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.sweep import Sweep

from .notes import paper, rows_are_ours

_counts = (0, 25, 50, 100)

sweep = L(Sweep)(
    name="figure_11",
    title="numbers of chosen contexts",
    paper_table="Figure 11",
    axis="Spatial, semantic",
    cells=[
        dict(
            name=f"sp{spatial}_sm{semantic}",
            label=f"{spatial}, {semantic}",
            overrides=[f"model.aggregation.k_spatial={spatial}", f"model.aggregation.k_semantic={semantic}"],
            paper=paper.full_model if (spatial, semantic) == (100, 50) else None,
        )
        for spatial in _counts
        for semantic in _counts
    ],
    note=rows_are_ours["note"],
)
