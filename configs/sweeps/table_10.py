"""Table 10: DSCT on ten hosts. Every cell is the same model but for ``host.name``.

The paper's column is accuracy on CAER-S with ResNet-50.
"""

from dsct_detrex.config import LazyCall as L
from dsct_detrex.sweep import Sweep

_hosts = {
    "detr": ("DETR", 89.74),
    "anchor_detr": ("Anchor-DETR", 90.42),
    "dab_detr": ("DAB-DETR", 87.49),
    "dn_detr": ("DN-DETR", 89.79),
    "conditional_detr": ("Conditional-DETR", 90.07),
    "dino": ("DINO", 89.27),
    "deformable_detr": ("Deformable-DETR", 91.81),
    "dab_deformable_detr": ("DAB-Deformable-DETR", 91.39),
    "h_deformable_detr": ("H-Deformable-DETR", 91.65),
    "deta": ("DETA", 91.77),
}

sweep = L(Sweep)(
    name="table_10",
    title="DSCT on ten hosts",
    paper_table="Table 10",
    axis="Host",
    cells=[
        dict(name=name, label=label, overrides=[f"host.name={name}"], paper={"caer_s": accuracy})
        for name, (label, accuracy) in _hosts.items()
    ],
)
