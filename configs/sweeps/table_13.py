"""Table 13: features of frozen networks beside the host's own (docs/modalities.md).

Their files of weights are overrides on the command line of the sweep and hold for every cell:
``model.modalities.scene.weights=resnet50_places365.pth.tar``.
"""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.sweep import Sweep

from .notes import paper, rows_are_ours

_modalities = ("scene", "semantic", "instance")

sweep = L(Sweep)(
    name="table_13",
    title="extra modalities",
    paper_table="Table 13",
    axis="Modalities",
    cells=[
        dict(name="none", paper=paper.full_model),
        *(dict(name=name, overrides=[f"model.modalities.use=[{name}]"]) for name in _modalities),
        dict(name="all", label="all three", overrides=[f"model.modalities.use=[{','.join(_modalities)}]"]),
    ],
    note=f"{rows_are_ours['note']} How the paper joins these features is not printed; ours is a reading. A frozen "
    "network whose file of weights is not named in the command has random weights.",
)
