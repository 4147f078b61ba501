"""Table 4: late fusion of two stages against early fusion in one, by the number of people in the image.

The two-stage baselines are given the annotated boxes, so that only emotions are compared; ``docs/sweeps.md`` says how
to evaluate them with a detector's.
"""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.sweep import Sweep

from .notes import paper

sweep = L(Sweep)(
    name="table_4",
    title="two stages and one, by number of people",
    paper_table="Table 4",
    axis="Model",
    cells=[
        dict(name="emo_net_r50", label="EMO-Net-R50", base="projects/emo_net_r50.py"),
        dict(name="emo_net_r50_m", label="EMO-Net-R50-M", base="projects/emo_net_r50_m.py"),
        dict(name="dsct", label="DSCT", paper=paper.full_model),
    ],
    by_people=True,
    note="The baselines are given the annotated boxes, DSCT finds the people itself; evaluation protocols follow "
    "(suppression has no meaning for given boxes). The paper's numbers of the baselines and of the groups were not at "
    "hand; DSCT's is its main result.",
)
