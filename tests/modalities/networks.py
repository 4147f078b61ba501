"""Frozen networks small enough for a test, and files of weights as others publish them."""

from pathlib import Path

import torch
from torch import Tensor
from torchvision.models import get_model

from dsct_detrex.modalities import FrozenNetwork, ModalityMemory

LAYERS = ("layer2", "layer3", "layer4")


def scene(**changes) -> FrozenNetwork:
    """ResNet-18: maps of 128, 256 and 512 channels at strides 8, 16 and 32."""
    return FrozenNetwork(**({"architecture": "resnet18", "layers": LAYERS} | changes))


def semantic() -> FrozenNetwork:
    """A segmentation network's backbone: maps of 40 and 960 channels at strides 8 and 16."""
    return FrozenNetwork("lraspp_mobilenet_v3_large")


def scene_memory(use=("scene",), embed_dim=256, **changes) -> ModalityMemory:
    return ModalityMemory(embed_dim, use, scene=scene(**changes))


def filled(memory: ModalityMemory) -> ModalityMemory:
    """As after some training: projections are no longer zero."""
    with torch.no_grad():
        for parameter in memory.projections.parameters():
            parameter.normal_(std=0.05)
    return memory


def published(architecture: str, **options) -> dict[str, Tensor]:
    """A state dict of torchvision's in which no tensor is as a fresh network has it."""
    weights = get_model(architecture, weights=None, **options).state_dict()
    return {name: x + 0.01 * torch.randn_like(x) if x.is_floating_point() else x for name, x in weights.items()}


def saved(path: Path, content) -> Path:
    torch.save(content, path)
    return path
