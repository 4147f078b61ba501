"""torchvision's ResNet weights under detectron2's names, so that ImageNet weights fill an embedded backbone."""

import re
from collections.abc import Mapping

from torch import Tensor

_STEM = re.compile(r"(conv|bn)1\.(\w+)")
_BLOCK = re.compile(r"layer(\d)\.(\d+)\.(conv|bn|downsample\.)(\d)\.(\w+)")


def torchvision_to_detectron2(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the entries of a torchvision ResNet; the classifier ``fc`` is left out.

    ``conv1``, ``bn1`` become ``stem.conv1``, ``stem.conv1.norm``; in a block, ``layer1.0.conv2``, ``layer1.0.bn2``
    become ``res2.0.conv2``, ``res2.0.conv2.norm``, and ``downsample.0``, ``downsample.1`` become ``shortcut``,
    ``shortcut.norm``.

    Args:
        state_dict: of ``torchvision.models.resnet*`` or ``wide_resnet*``, with plain or frozen batch norm.

    Returns:
        the same tensors, for ``ResNet.load_state_dict``; there, stages that the ResNet does not build are unexpected.

    Raises:
        ValueError: an entry that no torchvision ResNet has.
    """
    return {_rename(key): value for key, value in state_dict.items() if not key.startswith("fc.")}


def _rename(key: str) -> str:
    if stem := _STEM.fullmatch(key):
        kind, entry = stem.groups()
        return f"stem.conv1.{'norm.' if kind == 'bn' else ''}{entry}"
    if block := _BLOCK.fullmatch(key):
        layer, index, kind, number, entry = block.groups()
        is_norm = kind == "bn" or (kind == "downsample." and number == "1")
        conv = "shortcut" if kind == "downsample." else f"conv{number}"
        return f"res{int(layer) + 1}.{index}.{conv}.{'norm.' if is_norm else ''}{entry}"
    raise ValueError(f"torchvision_to_detectron2(state_dict=) expects entries of a torchvision ResNet. Got {key!r}.")
