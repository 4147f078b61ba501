"""Table 2: EMOTIC, DSCT with two backbones beside the systems that the paper quotes."""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.sweep import Sweep

from .leaderboards import emotic
from .notes import resnets

sweep = L(Sweep)(
    name="table_2",
    title="leaderboard of EMOTIC",
    paper_table="Table 2",
    axis="Method",
    cells=resnets({50: ({"emotic": 37.26}, 39), 101: ({"emotic": 37.81}, 58)}),
    quoted=emotic,
    efficiency=True,
)
