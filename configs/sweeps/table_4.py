"""Table 4: late fusion of two stages against early fusion in one, by the number of people in the image.

The two-stage baselines are given the annotated boxes, so that only emotions are compared; ``docs/sweeps.md`` says how
to evaluate them with a detector's.
"""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.sweep import Sweep

from .notes import dsct_by_people, images

_emo_net = dict(emotic={"1": 22.34, "2": 20.50, "3": 19.62, "4": 18.77, "5plus": 18.06})
_emo_net_m = dict(emotic={"1": 22.54, "2": 20.96, "3": 19.65, "4": 19.20, "5plus": 19.50})

sweep = L(Sweep)(
    name="table_4",
    title="two stages and one, by number of people",
    paper_table="Table 4",
    axis="Model",
    cells=[
        dict(name="emo_net_r50", label="EMO-Net-R50", base="projects/emo_net_r50.py", paper_by_people=_emo_net),
        dict(name="emo_net_r50_m", label="EMO-Net-R50-M", base="projects/emo_net_r50_m.py", paper_by_people=_emo_net_m),
        dict(name="dsct", label="DSCT", printed_as="Ours-R50", paper_by_people=dsct_by_people),
    ],
    by_people=True,
    images=images,
    note="The baselines are given the annotated boxes, DSCT finds the people itself; evaluation protocols follow "
    "(suppression has no meaning for given boxes).",
)
