"""Other codes' tensor names, turned into those of detrex (hosts) and of this package (DSCT).

The official Deformable-DETR and DSCT codes describe the network of detrex's ``deformable_detr`` in other words. Nearly
all of it is renaming; three things are more:

* official decoder layers count their norms in the order of construction (1 cross-attention, 2 self-attention,
  3 feed-forward), detrex in the order of use (0 self-attention, 1 cross-attention, 2 feed-forward);
* official heads have a row for each of 91 COCO category ids, detrex's for the 80 that exist. The encoder head of a
  two-stage model is read at class 0 only, whatever class that is called, so its row 0 must stay row 0;
* a DSCT subject embedding holds position and content side by side, and its heads are registered once a layer.

Name rules were written from the key lists of both codes (commits in ``tests/golden/README.md``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from dsct_detrex.weights.formats import detect_format

Rules = tuple[tuple[str, "str | Callable[[re.Match[str]], str]"], ...]
Entry = tuple[str, Tensor, str]  # new name, tensor, name in the file

_ABSENT_COCO_IDS: Final = frozenset((12, 26, 29, 30, 45, 66, 68, 69, 71, 83))
_COCO_ROWS: Final = tuple(i for i in range(1, 91) if i not in _ABSENT_COCO_IDS)
_NUM_COCO_IDS: Final = 91
_HEAD: Final = re.compile(r"(?P<kind>class_embed|bbox_embed)_dsct\.(?P<layer>\d+)\.(?P<rest>.+)")

_TO_DETECTRON2: Final[Rules] = (  # torchvision ResNet, names within the backbone
    (r"^(conv1\.|bn1\.)", r"stem.\1"),
    (r"^layer(\d)\.", lambda m: f"res{int(m[1]) + 1}."),
    (r"\bbn(\d)\.", r"conv\1.norm."),
    (r"\bdownsample\.0\.", "shortcut."),
    (r"\bdownsample\.1\.", "shortcut.norm."),
)
_TO_TORCHVISION: Final[Rules] = (  # and back, for Anchor DETR
    (r"^stem\.", ""),
    (r"^res(\d)\.", lambda m: f"layer{int(m[1]) - 1}."),
    (r"\bconv(\d)\.norm\.", r"bn\1."),
    (r"\bshortcut\.norm\.", "downsample.1."),
    (r"\bshortcut\.", "downsample.0."),
)
_TO_DETREX: Final[Rules] = (  # Deformable-DETR, all but backbone and neck
    (r"^transformer\.level_embed$", "transformer.level_embeds"),
    (r"^query_embed\.", "query_embedding."),
    (r"(encoder\.layers\.\d+)\.self_attn\.", r"\1.attentions.0."),
    (r"(decoder\.layers\.\d+)\.self_attn\.", r"\1.attentions.0.attn."),
    (r"(decoder\.layers\.\d+)\.cross_attn\.", r"\1.attentions.1."),
    (r"(encoder\.layers\.\d+)\.norm1\.", r"\1.norms.0."),
    (r"(encoder\.layers\.\d+)\.norm2\.", r"\1.norms.1."),
    (r"(decoder\.layers\.\d+)\.norm2\.", r"\1.norms.0."),
    (r"(decoder\.layers\.\d+)\.norm1\.", r"\1.norms.1."),
    (r"(decoder\.layers\.\d+)\.norm3\.", r"\1.norms.2."),
    (r"(coder\.layers\.\d+)\.linear1\.", r"\1.ffns.0.layers.0.0."),
    (r"(coder\.layers\.\d+)\.linear2\.", r"\1.ffns.0.layers.1."),
)


@dataclass(frozen=True)
class Converted:
    """A state dict under other names.

    Attributes:
        state_dict: new name -> tensor.
        sources: new name -> name in the file.
    """

    state_dict: dict[str, Tensor]
    sources: dict[str, str]


def convert(state_dict: Mapping[str, Tensor]) -> Converted:
    """Rename a state dict to this package's names, whatever code wrote it.

    Official DSCT becomes DSCT (``host.*``, ``subject_queries.*``, ``heads.*``), official Deformable-DETR becomes
    detrex, a torchvision ResNet becomes a detectron2 one without its classifier; all else keeps its names.
    """
    return readings(state_dict)[0]


def readings(state_dict: Mapping[str, Tensor]) -> tuple[Converted, ...]:
    """All names under which a state dict may fit a model, the likeliest first.

    Hosts name their ResNet as detectron2 does, Anchor DETR as torchvision does; so a ResNet has two readings.
    """
    as_is = _collect((name, tensor, name) for name, tensor in state_dict.items())
    match detect_format(state_dict):
        case "dsct_official":
            return (_collect(_dsct(state_dict)),)
        case "deformable_detr_official":
            return (_collect(_deformable(state_dict)),)
        case "torchvision_resnet":
            return _collect(_resnet(state_dict, _TO_DETECTRON2)), as_is
        case "detectron2_resnet":
            return as_is, _collect(_resnet(state_dict, _TO_TORCHVISION))
        case _:
            return (as_is,)


def _collect(entries: Iterator[Entry]) -> Converted:
    weights: dict[str, Tensor] = {}
    sources: dict[str, str] = {}
    for name, tensor, source in entries:
        weights[name], sources[name] = tensor, source
    return Converted(weights, sources)


def _rename(name: str, rules: Rules) -> str:
    for pattern, replacement in rules:
        name = re.sub(pattern, replacement, name)
    return name


def _resnet(state_dict: Mapping[str, Tensor], rules: Rules) -> Iterator[Entry]:
    """A bare ResNet; classifier and batch counters have no place in a frozen backbone."""
    for name, tensor in state_dict.items():
        if not re.search(r"(^|\.)fc\.|\.num_batches_tracked$", name):
            yield _rename(name, rules), tensor, name


def _deformable(state_dict: Mapping[str, Tensor]) -> Iterator[Entry]:
    """Official Deformable-DETR -> detrex ``deformable_detr``."""
    # A level of the neck that reads a backbone map has a 1x1 kernel, an extra level 3x3.
    num_maps = sum(
        tensor.shape[-1] == 1
        for name, tensor in state_dict.items()
        if re.fullmatch(r"input_proj\.\d+\.0\.weight", name)
    )
    num_heads = sum(bool(re.fullmatch(r"class_embed\.\d+\.weight", name)) for name in state_dict)
    encoder_head = num_heads - 1 if "transformer.enc_output.weight" in state_dict else None
    for name, tensor in state_dict.items():
        if name.startswith("backbone.0.body."):
            yield "backbone." + _rename(name.removeprefix("backbone.0.body."), _TO_DETECTRON2), tensor, name
        elif name.startswith("input_proj."):
            yield _neck_name(name, num_maps), tensor, name
        else:
            yield _rename(name, _TO_DETREX), _contiguous_classes(name, tensor, encoder_head), name


def _neck_name(name: str, num_maps: int) -> str:
    level, part, rest = name.removeprefix("input_proj.").split(".", 2)
    branch = f"convs.{level}" if int(level) < num_maps else f"extra_convs.{int(level) - num_maps}"
    return f"neck.{branch}.{'conv' if part == '0' else 'norm'}.{rest}"


def _contiguous_classes(name: str, tensor: Tensor, encoder_head: int | None) -> Tensor:
    """Rows of 91 COCO ids -> rows of the 80 categories; a head of another size (fine-tuned) stays as it is."""
    head = re.search(r"(?:^|\.)class_embed\.(\d+)\.(?:weight|bias)$", name)
    if head is None or len(tensor) != _NUM_COCO_IDS:
        return tensor
    rows = (0, *_COCO_ROWS[1:]) if int(head[1]) == encoder_head else _COCO_ROWS
    return tensor[torch.tensor(rows)]


def _dsct(state_dict: Mapping[str, Tensor]) -> Iterator[Entry]:
    """Official DSCT -> this package's DSCT on the embedded ``deformable_detr``."""
    own = {name: tensor for name, tensor in state_dict.items() if "_dsct." in name}
    for name, tensor, source in _deformable({n: t for n, t in state_dict.items() if n not in own}):
        yield f"host.{name}", tensor, source
    shared = _heads_are_shared(own)
    for name, tensor in own.items():
        head = _HEAD.fullmatch(name)
        if name == "query_embed_dsct.weight":
            position, content = tensor.chunk(2, dim=1)
            yield "subject_queries.position", position, name
            yield "subject_queries.content", content, name
        elif head is None:
            yield name, tensor, name
        elif not shared:
            yield f"heads.{head['kind']}.{head['layer']}.{head['rest']}", tensor, name
        elif head["layer"] == "0":
            yield f"heads.{head['kind']}.{head['rest']}", tensor, name


def _heads_are_shared(own: Mapping[str, Tensor]) -> bool:
    """Whether every layer's heads equal those of layer 0 (they are one module in the official runs)."""
    for name, tensor in own.items():
        head = _HEAD.fullmatch(name)
        first = own.get(f"{head['kind']}_dsct.0.{head['rest']}") if head else tensor
        if first is None or not torch.equal(tensor, first):
            return False
    return True
