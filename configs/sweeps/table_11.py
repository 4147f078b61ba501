"""Table 11: the weights theta of the matching costs (Eq. 2), one changed at a time.

The paper names two, 2 and 5; the official ``run.sh`` has a third for GIoU, 2.
"""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.sweep import Sweep

from .notes import paper, rows_are_ours

_default = (2, 5, 2)
_weights = (_default, (0, 5, 2), (1, 5, 2), (5, 5, 2), (2, 1, 2), (2, 2, 2), (2, 5, 0), (2, 5, 5))
_matcher = "subject_training.default.matcher"

sweep = L(Sweep)(
    name="table_11",
    title="weights of the matching costs",
    paper_table="Table 11",
    axis="Class, L1, GIoU",
    cells=[
        dict(
            name=f"class{classes}_l1{l1}_giou{giou}",
            label=f"{classes}, {l1}, {giou}",
            overrides=[
                f"{_matcher}.cost_class={classes}",
                f"{_matcher}.cost_bbox={l1}",
                f"{_matcher}.cost_giou={giou}",
            ],
            paper=paper.full_model if (classes, l1, giou) == _default else None,
        )
        for classes, l1, giou in _weights
    ],
    note=rows_are_ours["note"],
)
