"""Table 11: the weights theta of the matching costs (Eq. 2), one changed at a time.

The paper names two, 2 and 5; the official ``run.sh`` has a third for GIoU, 2.
"""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.sweep import Sweep

from .notes import rows_are_ours
from .weights import weight_cells

sweep = L(Sweep)(
    name="table_11",
    title="weights of the matching costs",
    paper_table="Table 11",
    axis="Class, L1, GIoU",
    cells=weight_cells(
        [f"subject_training.default.matcher.cost_{term}" for term in ("class", "bbox", "giou")],
        [(2, 5, 2), (0, 5, 2), (1, 5, 2), (5, 5, 2), (2, 1, 2), (2, 2, 2), (2, 5, 0), (2, 5, 5)],
    ),
    note=rows_are_ours["note"],
)
