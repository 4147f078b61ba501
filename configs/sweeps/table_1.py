"""Table 1: CAER-S, DSCT with two backbones beside the systems that the paper quotes."""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.sweep import Sweep

from .leaderboards import caer_s
from .notes import backbone

_ours = {18: (84.96, 22), 50: (91.81, 39)}  # depth: accuracy, parameters in millions

sweep = L(Sweep)(
    name="table_1",
    title="leaderboard of CAER-S",
    paper_table="Table 1",
    axis="Method",
    cells=[
        dict(
            name=f"r{depth}",
            label=f"DSCT-R{depth}",
            printed_as=f"Ours-R{depth}",
            overrides=backbone(depth),
            paper={"caer_s": accuracy},
            params_m=params,
            backbone=f"ResNet{depth}",
        )
        for depth, (accuracy, params) in _ours.items()
    ],
    quoted=caer_s,
    efficiency=True,
)
