"""Table 1: CAER-S, DSCT with two backbones beside the systems that the paper quotes."""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.sweep import Sweep

from .leaderboards import caer_s
from .notes import resnets

sweep = L(Sweep)(
    name="table_1",
    title="leaderboard of CAER-S",
    paper_table="Table 1",
    axis="Method",
    cells=resnets({18: ({"caer_s": 84.96}, 22), 50: ({"caer_s": 91.81}, 39)}),
    quoted=caer_s,
    efficiency=True,
)
