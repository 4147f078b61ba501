"""Figure 2: score over parameters, DSCT beside the systems of Tables 1 and 2."""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.sweep import Sweep

from .leaderboards import caer_s, emotic
from .notes import resnets

sweep = L(Sweep)(
    name="figure_2",
    title="score and size",
    paper_table="Figure 2",
    axis="Method",
    cells=resnets(
        # The paper's main results.
        {18: ({"caer_s": 84.96}, 22), 50: ({"emotic": 37.26, "caer_s": 91.81}, 39), 101: ({"emotic": 37.81}, 58)}
    ),
    quoted=[*caer_s, *emotic],
    efficiency=True,
)
