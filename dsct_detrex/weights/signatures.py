"""Which host is it? Told from tensor names alone, by what each kind has and its relatives lack.

The same marks that ``dsct.adapters`` recognises live hosts by, read off a state dict. A kind is called as its config in
``configs/common/hosts`` is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

HOSTS: Final[Mapping[str, str]] = {
    "detr": "DETR",
    "conditional_detr": "Conditional-DETR",
    "dab_detr": "DAB-DETR",
    "dn_detr": "DN-DETR",
    "anchor_detr": "Anchor-DETR",
    "deformable_detr": "Deformable-DETR",
    "deformable_detr_box_refine": "Deformable-DETR with box refinement",
    "deformable_detr_two_stage": "two-stage Deformable-DETR",
    "dab_deformable_detr": "DAB-Deformable-DETR",
    "dab_deformable_detr_two_stage": "two-stage DAB-Deformable-DETR",
    "h_deformable_detr": "H-Deformable-DETR",
    "dino": "DINO",
    "deta": "DETA",
}
"""Every answer of ``likely_host``, with the name that messages use."""

_Marks = tuple[tuple[str, tuple[str, ...]], ...]
_TWO_STAGE: Final = r"transformer\.enc_output\."
_MULTI_SCALE: Final = r"transformer\.level_embeds$"
_MARKS: Final[_Marks] = (  # the first kind all of whose marks are found decides
    ("anchor_detr", (r"transformer\.decoder_layers\.0\.",)),
    ("dino", (_MULTI_SCALE, r"transformer\.decoder\.norm\.")),
    ("dab_deformable_detr_two_stage", (_MULTI_SCALE, r"transformer\.decoder\.ref_point_head\.", _TWO_STAGE)),
    ("dab_deformable_detr", (_MULTI_SCALE, r"transformer\.decoder\.ref_point_head\.")),
    ("deta", (_MULTI_SCALE, r"transformer\.pix_trans\.")),
    (
        "h_deformable_detr",
        (_MULTI_SCALE, _TWO_STAGE, r"query_embedding\."),
    ),  # the rest of the family proposes or learns
    ("deformable_detr_two_stage", (_MULTI_SCALE, _TWO_STAGE)),
    ("deformable_detr_box_refine", (_MULTI_SCALE, r"transformer\.decoder\.bbox_embed\.")),
    ("deformable_detr", (_MULTI_SCALE,)),
    ("dn_detr", (r"transformer\.decoder\.ref_anchor_head\.", r"denoising_generator\.")),
    ("dab_detr", (r"transformer\.decoder\.ref_anchor_head\.",)),
    ("conditional_detr", (r"transformer\.decoder\.ref_point_head\.",)),
    ("detr", (r"transformer\.decoder\.layers\.0\.attentions\.1\.attn\.in_proj_weight$",)),
)


def likely_host(names: Iterable[str]) -> str | None:
    """The kind of host that a state dict belongs to, bare or inside a DSCT model.

    Args:
        names: tensor names as detrex or this package has them (``convert`` first).

    Returns:
        a key of ``HOSTS``, or None where no mark is found, as in a bare backbone. A one-stage H-Deformable-DETR has the
        names of a Deformable-DETR.
    """
    known = [name.removeprefix("host.") for name in names]
    for kind, marks in _MARKS:
        if all(any(re.match(mark, name) for name in known) for mark in marks):
            return kind
    return None
