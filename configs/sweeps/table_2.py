"""Table 2: EMOTIC, DSCT with two backbones beside the systems that the paper quotes."""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.sweep import Sweep

from .leaderboards import emotic
from .notes import backbone

_ours = {50: (37.26, 39), 101: (37.81, 58)}  # depth: mAP, parameters in millions

sweep = L(Sweep)(
    name="table_2",
    title="leaderboard of EMOTIC",
    paper_table="Table 2",
    axis="Method",
    cells=[
        dict(
            name=f"r{depth}",
            label=f"DSCT-R{depth}",
            printed_as=f"Ours-R{depth}",
            overrides=backbone(depth),
            paper={"emotic": precision},
            params_m=params,
            backbone=f"ResNet{depth}",
        )
        for depth, (precision, params) in _ours.items()
    ],
    quoted=emotic,
    efficiency=True,
)
