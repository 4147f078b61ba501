"""Table 7: how the chosen contexts are weighted."""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.sweep import Sweep

_printed = {"equal": 36.73, "spatial": 36.48, "attentive": 36.93, "semantic": 37.26}

sweep = L(Sweep)(
    name="table_7",
    title="re-weighting of the chosen contexts",
    paper_table="Table 7",
    axis="Re-weighting",
    cells=[
        dict(name=name, overrides=[f"model.aggregation.reweighting={name}"], paper={"emotic": precision})
        for name, precision in _printed.items()
    ],
    gaps=[
        dict(better="semantic", worse="equal", paper={"emotic": 0.53}, about="semantic above equal re-weighting"),
    ],
    note="The paper names spatial and attentive re-weighting without a formula; ours are a reading.",
)
