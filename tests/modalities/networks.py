"""Frozen networks small enough for a test, and files of weights as others publish them."""

import copy
import functools
from pathlib import Path

import torch
from torch import Tensor
from torchvision.models import get_model

from dsct_detrex.modalities import FrozenNetwork, ModalityMemory
from dsct_detrex.modalities.frozen_trunk import FrozenTrunk

LAYERS = ("layer2", "layer3", "layer4")


def scene(**changes) -> FrozenNetwork:
    """ResNet-18: maps of 128, 256 and 512 channels at strides 8, 16 and 32."""
    return FrozenNetwork(**({"architecture": "resnet18", "layers": LAYERS} | changes))


def semantic() -> FrozenNetwork:
    """A segmentation network's backbone: maps of 40 and 960 channels at strides 8 and 16."""
    return FrozenNetwork("lraspp_mobilenet_v3_large")


class DrawnScene(FrozenNetwork):
    """``scene()`` with the same weights each time: drawing them anew takes most of a test of a small model."""

    def __init__(self) -> None:
        super().__init__("resnet18", LAYERS)

    @staticmethod
    @functools.cache
    def drawn(name: str) -> FrozenTrunk:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            return scene().build(name)

    def build(self, name: str) -> FrozenTrunk:
        return copy.deepcopy(self.drawn(name))


def scene_memory(use=("scene",), embed_dim=256, **changes) -> ModalityMemory:
    return ModalityMemory(embed_dim, use, scene=scene(**changes) if changes else DrawnScene())


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
