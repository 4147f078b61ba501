"""Figure 2: score over parameters, DSCT beside the systems of Tables 1 and 2."""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.sweep import Sweep

from .leaderboards import caer_s, emotic
from .notes import backbone

# depth: the paper's main results, parameters in millions
_ours = {18: ({"caer_s": 84.96}, 22), 50: ({"emotic": 37.26, "caer_s": 91.81}, 39), 101: ({"emotic": 37.81}, 58)}

sweep = L(Sweep)(
    name="figure_2",
    title="score and size",
    paper_table="Figure 2",
    axis="Method",
    cells=[
        dict(
            name=f"r{depth}",
            label=f"DSCT-R{depth}",
            printed_as=f"Ours-R{depth}",
            overrides=backbone(depth),
            paper=scores,
            params_m=params,
            backbone=f"ResNet{depth}",
        )
        for depth, (scores, params) in _ours.items()
    ],
    quoted=[*caer_s, *emotic],
    efficiency=True,
)
