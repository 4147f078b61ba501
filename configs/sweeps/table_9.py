"""Table 9: the backbone."""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.sweep import Sweep

from .notes import backbone

# name: label, depth, width of a group, parameters in millions, mAP on EMOTIC, accuracy on CAER-S
_printed = {
    "r18": ("ResNet-18", 18, 64, 22, 35.68, 84.98),
    "r34": ("ResNet-34", 34, 64, 33, 34.40, 84.52),
    "r50": ("ResNet-50", 50, 64, 39, 37.26, 91.81),
    "r101": ("ResNet-101", 101, 64, 58, 37.81, 85.39),
    "r152": ("ResNet-152", 152, 64, 74, 37.32, 83.88),
    "wr50": ("Wide-ResNet-50", 50, 128, 82, 34.46, 85.71),
    "wr101": ("Wide-ResNet-101", 101, 128, 140, 34.07, 83.16),
}

sweep = L(Sweep)(
    name="table_9",
    title="backbones",
    paper_table="Table 9",
    axis="Backbone",
    cells=[
        dict(
            name=name,
            label=label,
            printed_as=name.upper(),
            overrides=backbone(depth, width),
            paper={"emotic": precision, "caer_s": accuracy},
            params_m=params,
        )
        for name, (label, depth, width, params, precision, accuracy) in _printed.items()
    ],
)
