"""Whose checkpoint is this? Told from the names of its tensors alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

FORMATS: Final[Mapping[str, str]] = {
    "dsct": "a DSCT model of this package",
    "dsct_official": "the official DSCT code",
    "deformable_detr_official": "the official Deformable-DETR code",
    "detrex": "a detrex detector",
    "detr_official": "the official DETR code",
    "detectron2_resnet": "a detectron2 ResNet backbone",
    "torchvision_resnet": "a torchvision ResNet",
    "unknown": "no model this package knows",
}
"""Every answer of ``detect_format``, with the words that error messages use."""

_MARKS: Final = (  # the first mark that is found decides, so special cases stand before general ones
    ("dsct", r"^(host\.|subject_queries\.)"),
    ("dsct_official", r"^(query_embed_dsct|class_embed_dsct)\."),
    ("deformable_detr_official", r"^transformer\.level_embed$"),
    ("detr_official", r"^transformer\.decoder\.layers\.0\.multihead_attn\.in_proj_weight$"),
    ("detrex", r"^transformer\.(encoder\.layers\.0\.attentions\.0|encoder_layers\.0)\."),
    ("detectron2_resnet", r"^stem\.conv1\.weight$"),
    ("torchvision_resnet", r"^layer1\.0\.conv1\.weight$"),
)


def detect_format(names: Iterable[str]) -> str:
    """Name the kind of model that a state dict belongs to.

    Args:
        names: tensor names of the file (a state dict will do).

    Returns:
        a key of ``FORMATS``.
    """
    known = list(names)
    for answer, mark in _MARKS:
        pattern = re.compile(mark)
        if any(pattern.search(name) for name in known):
            return answer
    return "unknown"
