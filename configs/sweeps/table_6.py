"""Table 6: the components. Without contexts the subjects see only the image; each list of contexts can be off."""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.sweep import Sweep

from .notes import paper, rows_are_ours

_off = ["model.aggregation=null"]
_no_spatial, _no_semantic = ["model.aggregation.k_spatial=0"], ["model.aggregation.k_semantic=0"]

sweep = L(Sweep)(
    name="table_6",
    title="components of DSCT",
    paper_table="Table 6",
    axis="Components",
    cells=[
        dict(name="subjects_only", label="subjects only", overrides=["model.use_contexts=False", *_off]),
        dict(name="contexts", label="+ contexts, no fusion", overrides=_off),
        dict(name="spatial", label="+ contexts, spatial fusion", overrides=_no_semantic),
        dict(name="semantic", label="+ contexts, semantic fusion", overrides=_no_spatial),
        dict(name="both", label="+ contexts, both fusions", paper=paper.full_model),
    ],
    note=rows_are_ours["note"],
)
