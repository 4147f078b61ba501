"""Tables of regular expressions that turn other codes' tensor names into detrex's.

Written from the key lists of the codes (commits in ``tests/golden/README.md``) and, for DETR, from the module tree of
the official code (facebookresearch/detr, ``models/detr.py`` and ``models/transformer.py``).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

Rules = tuple[tuple[str, "str | Callable[[re.Match[str]], str]"], ...]

RESNET_TO_DETECTRON2: Final[Rules] = (  # torchvision ResNet, names within the backbone
    (r"^(conv1\.|bn1\.)", r"stem.\1"),
    (r"^layer(\d)\.", lambda m: f"res{int(m[1]) + 1}."),
    (r"\bbn(\d)\.", r"conv\1.norm."),
    (r"\bdownsample\.0\.", "shortcut."),
    (r"\bdownsample\.1\.", "shortcut.norm."),
)
RESNET_TO_TORCHVISION: Final[Rules] = (  # and back, for Anchor DETR
    (r"^stem\.", ""),
    (r"^res(\d)\.", lambda m: f"layer{int(m[1]) - 1}."),
    (r"\bconv(\d)\.norm\.", r"bn\1."),
    (r"\bshortcut\.norm\.", "downsample.1."),
    (r"\bshortcut\.", "downsample.0."),
)
_FEED_FORWARD: Final[Rules] = (
    (r"(coder\.layers\.\d+)\.linear1\.", r"\1.ffns.0.layers.0.0."),
    (r"(coder\.layers\.\d+)\.linear2\.", r"\1.ffns.0.layers.1."),
)
DEFORMABLE_DETR: Final[Rules] = (  # official Deformable-DETR, all but backbone and neck
    (r"^transformer\.level_embed$", "transformer.level_embeds"),
    (r"^query_embed\.", "query_embedding."),
    (r"(encoder\.layers\.\d+)\.self_attn\.", r"\1.attentions.0."),
    (r"(decoder\.layers\.\d+)\.self_attn\.", r"\1.attentions.0.attn."),
    (r"(decoder\.layers\.\d+)\.cross_attn\.", r"\1.attentions.1."),
    (r"(encoder\.layers\.\d+)\.norm1\.", r"\1.norms.0."),
    (r"(encoder\.layers\.\d+)\.norm2\.", r"\1.norms.1."),
    # counted there in the order of construction, here in the order of use
    (r"(decoder\.layers\.\d+)\.norm2\.", r"\1.norms.0."),
    (r"(decoder\.layers\.\d+)\.norm1\.", r"\1.norms.1."),
    (r"(decoder\.layers\.\d+)\.norm3\.", r"\1.norms.2."),
    *_FEED_FORWARD,
)
DETR: Final[Rules] = (  # official DETR, all but the backbone; its norms are counted in the order of use
    (r"(coder\.layers\.\d+)\.self_attn\.", r"\1.attentions.0.attn."),
    (r"(decoder\.layers\.\d+)\.multihead_attn\.", r"\1.attentions.1.attn."),
    (r"(coder\.layers\.\d+)\.norm(\d)\.", lambda m: f"{m[1]}.norms.{int(m[2]) - 1}."),
    (r"(coder)\.norm\.", r"\1.post_norm_layer."),
    *_FEED_FORWARD,
)


def rename(name: str, rules: Rules) -> str:
    """Apply every rule of a table, in order."""
    for pattern, replacement in rules:
        name = re.sub(pattern, replacement, name)
    return name
