"""Table 13: features of frozen networks beside the host's own (docs/modalities.md).

Their files of weights are overrides on the command line of the sweep and hold for every cell:
``model.modalities.scene.weights=resnet50_places365.pth.tar``.
"""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.sweep import Sweep

# modality: the paper's network, all of ResNet-50 and frozen, and its mAP
_printed = {"scene": ("Places365", 32.08), "semantic": ("DeepLabv3", 34.01), "instance": ("Mask R-CNN", 34.11)}

sweep = L(Sweep)(
    name="table_13",
    title="extra modalities",
    paper_table="Table 13",
    axis="Modalities",
    cells=[
        dict(name="none", paper={"emotic": 37.26}),
        *(
            dict(
                name=name,
                label=f"{name} ({network})",
                overrides=[f"model.modalities.use=[{name}]"],
                paper={"emotic": precision},
            )
            for name, (network, precision) in _printed.items()
        ),
        dict(name="all", label="all three", overrides=[f"model.modalities.use=[{','.join(_printed)}]"], ours=True),
    ],
    note="How the paper joins these features is not printed; ours is a reading. A frozen network whose file of weights "
    "is not named in the command has random weights.",
)
