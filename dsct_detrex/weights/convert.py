"""Other codes' tensor names, turned into those of detrex (hosts) and of this package (DSCT).

The official DETR, Deformable-DETR and DSCT codes describe the networks of detrex's ``detr`` and ``deformable_detr`` in
other words. Nearly all of it is renaming (``rename_rules``); three things are more:

* official Deformable-DETR layers count their norms in the order of construction (1 cross-attention, 2 self-attention,
  3 feed-forward), detrex in the order of use (0 self-attention, 1 cross-attention, 2 feed-forward);
* official heads have a row for each of 91 COCO category ids, detrex's for the 80 that exist (``coco``);
* a DSCT subject embedding holds position and content side by side, and its heads are registered once a layer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from dsct_detrex.errors import UserError, reason_of
from dsct_detrex.weights.coco import contiguous_classes
from dsct_detrex.weights.formats import FORMATS, detect_format
from dsct_detrex.weights.rename_rules import (
    DEFORMABLE_DETR,
    DETR,
    RESNET_TO_DETECTRON2,
    RESNET_TO_TORCHVISION,
    Rules,
    rename,
)

Entry = tuple[str, Tensor, str]  # new name, tensor, name in the file

_OFFICIAL_BACKBONE: Final = "backbone.0.body."
_HEAD: Final = re.compile(r"(?P<kind>class_embed|bbox_embed)_dsct\.(?P<layer>\d+)\.(?P<rest>.+)")


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

    Official DSCT becomes DSCT (``host.*``, ``subject_queries.*``, ``heads.*``), official DETR and Deformable-DETR
    become detrex, a torchvision ResNet becomes a detectron2 one without its classifier; all else keeps its names.
    """
    return readings(state_dict)[0]


def readings(state_dict: Mapping[str, Tensor]) -> tuple[Converted, ...]:
    """All names under which a state dict may fit a model, the likeliest first.

    Hosts name their ResNet as detectron2 does, Anchor DETR as torchvision does; so a ResNet has two readings.

    Raises:
        UserError: the names are those of a known code, and the tensors cannot be.
    """
    try:
        return _readings(state_dict)
    except (
        IndexError,
        ValueError,
        TypeError,
        RuntimeError,
    ) as error:  # shapes and numbers of layers that no such model has
        reason = reason_of(error)
        raise UserError(
            f"convert: the tensors are called as those of {FORMATS[detect_format(state_dict)]}, but have other shapes "
            f"or numbers ({reason}). Give a checkpoint of that code, whole."
        ) from error


def _readings(state_dict: Mapping[str, Tensor]) -> tuple[Converted, ...]:
    as_is = _collect((name, tensor, name) for name, tensor in state_dict.items())
    match detect_format(state_dict):
        case "dsct_official":
            return (_collect(_dsct(state_dict)),)
        case "deformable_detr_official":
            return (_collect(_deformable(state_dict)),)
        case "detr_official":
            return (_collect(_detr(state_dict)),)
        case "torchvision_resnet":
            return _collect(_resnet(state_dict, RESNET_TO_DETECTRON2)), as_is
        case "detectron2_resnet":
            return as_is, _collect(_resnet(state_dict, RESNET_TO_TORCHVISION))
        case _:
            return (as_is,)


def _collect(entries: Iterator[Entry]) -> Converted:
    weights: dict[str, Tensor] = {}
    sources: dict[str, str] = {}
    for name, tensor, source in entries:
        weights[name], sources[name] = tensor, source
    return Converted(weights, sources)


def _resnet(state_dict: Mapping[str, Tensor], rules: Rules) -> Iterator[Entry]:
    """A bare ResNet; classifier and batch counters have no place in a frozen backbone."""
    for name, tensor in state_dict.items():
        if not re.search(r"(^|\.)fc\.|\.num_batches_tracked$", name):
            yield rename(name, rules), tensor, name


def _backbone_name(name: str) -> str:
    return "backbone." + rename(name.removeprefix(_OFFICIAL_BACKBONE), RESNET_TO_DETECTRON2)


def _detr(state_dict: Mapping[str, Tensor]) -> Iterator[Entry]:
    """Official DETR -> detrex ``detr``."""
    for name, tensor in state_dict.items():
        if name.startswith(_OFFICIAL_BACKBONE):
            yield _backbone_name(name), tensor, name
        else:
            is_class_head = name.startswith("class_embed.")
            yield rename(name, DETR), contiguous_classes(tensor) if is_class_head else tensor, name


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
        if name.startswith(_OFFICIAL_BACKBONE):
            yield _backbone_name(name), tensor, name
        elif name.startswith("input_proj."):
            yield _neck_name(name, num_maps), tensor, name
        else:
            head = re.search(r"(?:^|\.)class_embed\.(\d+)\.(?:weight|bias)$", name)
            rows = contiguous_classes(tensor, int(head[1]) == encoder_head) if head else tensor
            yield rename(name, DEFORMABLE_DETR), rows, name


def _neck_name(name: str, num_maps: int) -> str:
    level, part, rest = name.removeprefix("input_proj.").split(".", 2)
    branch = f"convs.{level}" if int(level) < num_maps else f"extra_convs.{int(level) - num_maps}"
    return f"neck.{branch}.{'conv' if part == '0' else 'norm'}.{rest}"


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
