"""Hosts from the ``config`` of a golden file: detrex's class names stand for ours, values arrive as OmegaConf's."""

from typing import Any

import golden_io
import torch
from omegaconf import DictConfig, OmegaConf
from torch import Tensor, nn

from dsct_detrex import hosts
from dsct_detrex.layers import ChannelMapper, PositionEmbeddingSine

IMAGE_SIZE = (64, 96)


def resnet(stem: DictConfig, stages: DictConfig, **arguments: Any) -> hosts.ResNet:
    """Our ResNet from the arguments of detectron2's."""
    return hosts.ResNet(depth=stages.depth, norm=stages.norm, in_channels=stem.in_channels, **arguments)


CLASSES: dict[str, Any] = {
    **{name: getattr(hosts, name) for name in hosts.__all__},
    "ResNet": resnet,
    "BasicStem": lambda **arguments: DictConfig(arguments),
    "make_default_stages": lambda **arguments: DictConfig(arguments),
    "ChannelMapper": ChannelMapper,
    "GroupNorm": nn.GroupNorm,
    "Identity": nn.Identity,
    "PositionEmbeddingSine": PositionEmbeddingSine,
}


def build(config: Any) -> Any:
    """Instantiate a config tree; criteria are dropped."""
    if not OmegaConf.is_dict(config) or "_target_" not in config:
        return config
    arguments = {k: build(v) for k, v in config.items() if k not in ("_target_", "criterion")}
    return CLASSES[config._target_.rsplit(".", 1)[1]](**arguments)


def build_host(config: dict[str, Any], **changes: Any) -> hosts.Host:
    """A host in evaluation; ``backbone`` and ``neck`` stubs where the config has none."""
    stub = {"_target_": "torch.nn.Identity"}
    host: hosts.Host = build(OmegaConf.merge({"backbone": stub, "neck": stub}, config, changes))
    return host.eval()


def golden_host(fixture: Any) -> hosts.Host:
    """The host of a golden fixture with its weights, every key used."""
    host = build_host(fixture.meta["config"])
    host.load_state_dict(fixture.state_dict())
    return host


def golden_maps(fixture: Any) -> tuple[tuple[Tensor, ...], ...]:
    """Levels, masks and positions of a golden fixture."""
    return fixture.sequence("in.feat"), fixture.sequence("in.mask"), fixture.sequence("in.pos")


def small_config(name: str, **changes: Any) -> dict[str, Any]:
    """The config of a small complete host with a ResNet-18, from the golden fixture's config."""
    config = golden_io.load_json(f"hosts/{name}")["config"]
    width = config["embed_dim"]
    neck = {
        "_target_": "x.ChannelMapper",
        "input_shapes": {f"res{i}": {"channels": 2**i * 16} for i in (3, 4, 5)},
        "in_features": ["res3", "res4", "res5"],
        "out_channels": width,
        "num_outs": 4,
        "kernel_size": 1,
        "norm_layer": {"_target_": "x.GroupNorm", "num_groups": 8, "num_channels": width},
    }
    backbone = {
        "_target_": "x.ResNet",
        "stem": {"in_channels": 3},
        "stages": {"depth": 18, "norm": "FrozenBN"},
        "out_features": ["res3", "res4", "res5"],
        "freeze_at": 1,
    }
    return {**config, "backbone": backbone, "neck": neck, **changes}


def padded_batch() -> tuple[Tensor, Tensor]:
    """Two images of different size and their mask: (2, 3, 64, 96) and (2, 64, 96)."""
    images, mask = torch.zeros(2, 3, *IMAGE_SIZE), torch.ones(2, *IMAGE_SIZE, dtype=torch.bool)
    for i, (height, width) in enumerate([(64, 72), (48, 96)]):
        images[i, :, :height, :width] = torch.randn(3, height, width)
        mask[i, :height, :width] = False
    return images, mask
