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
    "ReLU": nn.ReLU,
    "PReLU": nn.PReLU,
    "PositionEmbeddingSine": PositionEmbeddingSine,
}
# DETA's own classes under the names of Deformable DETR's.
OF_DETA = {"DeformableDETR": "DETA", "DeformableDetrTransformer": "DETATransformer"}


def build(config: Any) -> Any:
    """Instantiate a config tree; criteria are dropped."""
    if not OmegaConf.is_dict(config) or "_target_" not in config:
        return config
    arguments = {k: build(v) for k, v in config.items() if k not in ("_target_", "criterion")}
    path, name = config._target_.rsplit(".", 1)
    return CLASSES[OF_DETA.get(name, name) if ".deta." in path else name](**arguments)


def build_host(config: dict[str, Any], **changes: Any) -> hosts.Host:
    """A host in evaluation; ``backbone`` and ``neck`` stubs where the config has none and the host wants one."""
    stub = {"_target_": "torch.nn.Identity"}
    stubs = {"backbone": stub} if "in_features" in config else {"backbone": stub, "neck": stub}
    host: hosts.Host = build(OmegaConf.merge(stubs, config, changes))
    return host.eval()


def golden_host(fixture: Any) -> hosts.Host:
    """The host of a golden fixture with its weights, every key used."""
    host = build_host(fixture.meta["config"])
    host.load_state_dict(fixture.state_dict())
    return host


def golden_maps(fixture: Any) -> tuple[tuple[Tensor, ...], ...]:
    """Levels, masks and positions of a golden fixture."""
    return fixture.sequence("in.feat"), fixture.sequence("in.mask"), fixture.sequence("in.pos")


def golden_arguments(fixture: Any, host: hosts.Host) -> tuple[Any, ...]:
    """What the transformer of a golden fixture is called with; a single map enters before the host's projection."""
    if "in.res5" not in fixture.tensors:
        return host.transformer_arguments(hosts.FeatureMaps(*golden_maps(fixture)))
    projected = host.input_proj(fixture["in.res5"])
    return host.transformer_arguments(hosts.FeatureMaps(projected, fixture["in.mask"], fixture["in.pos"]))


def small_config(name: str, **changes: Any) -> dict[str, Any]:
    """The config of a small complete host with a ResNet-18, from the golden fixture's config."""
    config = golden_io.load_json(f"hosts/{name}")["config"]
    backbone = {
        "_target_": "x.ResNet",
        "stem": {"in_channels": 3},
        "stages": {"depth": 18, "norm": "FrozenBN"},
        "out_features": ["res3", "res4", "res5"],
        "freeze_at": 1,
    }
    if "in_channels" in config:
        return {**config, "backbone": backbone, "in_channels": 512, **changes}
    width = config["embed_dim"]
    neck = {
        "_target_": "x.ChannelMapper",
        "input_shapes": {f"res{i}": {"channels": 2**i * 16} for i in (3, 4, 5)},
        "in_features": ["res3", "res4", "res5"],
        "out_channels": width,
        "num_outs": config["transformer"]["num_feature_levels"],
        "kernel_size": 1,
        "norm_layer": {"_target_": "x.GroupNorm", "num_groups": 8, "num_channels": width},
    }
    return {**config, "backbone": backbone, "neck": neck, **changes}


def padded_batch() -> tuple[Tensor, Tensor]:
    """Two images of different size and their mask: (2, 3, 64, 96) and (2, 64, 96)."""
    images, mask = torch.zeros(2, 3, *IMAGE_SIZE), torch.ones(2, *IMAGE_SIZE, dtype=torch.bool)
    for i, (height, width) in enumerate([(64, 72), (48, 96)]):
        images[i, :, :height, :width] = torch.randn(3, height, width)
        mask[i, :height, :width] = False
    return images, mask
