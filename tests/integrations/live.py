"""Tiny live hosts: detrex's own configs with the small numbers of ``tests.dsct.tiny``, and their embedded twins."""

import importlib.util
import inspect
import os
import warnings
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from omegaconf import DictConfig, OmegaConf
from torch import Tensor, nn

from dsct_detrex.config import get_config, instantiate
from dsct_detrex.dsct import DSCT, LayerOutput, RelationalAggregation
from dsct_detrex.integrations.detrex import host_config, live_hosts
from dsct_detrex.objective import DSCTCriterion, HungarianMatcher, focal_for
from dsct_detrex.structures import CAER_S
from tests.dsct.tiny import SIZES, batch, own_decoding, randomised, shrink, tiny_host

EMBEDDED = tuple(get_config("common/hosts.py").detrex)  # those that detrex has too
NAMES = tuple(live_hosts())

# First stages and token selections that expect more tokens than the smallest pictures have.
LARGE = ((224, 256), (192, 224))
NEED_LARGE = ("deta", "focus_detr")

_CHANNELS_OF_RESNET18 = {"res2": 64, "res3": 128, "res4": 256, "res5": 512}


def sizes_of(name: str) -> Sequence[tuple[int, int]]:
    return LARGE if name.startswith(NEED_LARGE) else SIZES


def require_detrex() -> None:
    """Skip the test, by name, where there is no detrex; where ``DETREX_ROOT`` is set a failure to load it is one."""
    if not os.environ.get("DETREX_ROOT") and importlib.util.find_spec("detrex") is None:
        pytest.skip("needs detrex, which is not importable here and not named by DETREX_ROOT")
    warnings.filterwarnings("ignore", category=FutureWarning)
    warnings.filterwarnings("ignore", message="pkg_resources is deprecated")


def live_config(name: str) -> DictConfig:
    """A live host's config, shrunk as its embedded twin's is."""
    config = host_config(name)
    if "net" in config.backbone:  # a vision transformer
        OmegaConf.update(config, "backbone.net", {"img_size": 128, "embed_dim": 32, "num_heads": 2})
        OmegaConf.update(config, "backbone.net", {"depth": 2, "window_size": 4, "window_block_indexes": [0]})
        config.backbone.square_pad = 128
        shrink(config.transformer, "transformer")
        config.num_queries = 20
        return config
    shrink(config)
    if "stages" in config.backbone:
        del config.backbone.stages.stride_in_1x1  # ResNet-18 has no 1 x 1 convolutions to choose between
    for block in (OmegaConf.select(config, "neck.input_shapes") or {}, config):
        if "in_channels" in block:
            block.in_channels = _CHANNELS_OF_RESNET18["res5"]
        for level, channels in _CHANNELS_OF_RESNET18.items():
            if level in block:
                block[level] = channels
    return config


def tiny_live_host(name: str) -> nn.Module:
    """With randomised weights but in the backbone, whose maps would grow until attention is a matter of rounding."""
    config = OmegaConf.create({"host": live_config(name)}, flags={"allow_objects": True})
    host: nn.Module = instantiate(config.host)
    for part, module in host.named_children():
        if part != "backbone":
            randomised(module)
    return host


def dsct_on(host: nn.Module, num_subjects: int = 3) -> DSCT:
    focal = focal_for(CAER_S)
    model = DSCT(
        host,
        CAER_S,
        DSCTCriterion(HungarianMatcher(focal), focal),
        num_subjects=num_subjects,
        aggregation=RelationalAggregation("official", 6, 4),
    )
    randomised(model.heads)
    return model


def twins(name: str) -> tuple[DSCT, DSCT]:
    """DSCT on the live host and DSCT on the embedded one, with the same weights."""
    live, embedded = dsct_on(tiny_live_host(name)), dsct_on(tiny_host(name))
    embedded.load_state_dict(live.state_dict())
    return live, embedded


def batch_for(name: str) -> list[dict[str, Any]]:
    """A training batch of two pictures of different size, large enough for the host."""
    entries = batch()
    for entry, old, (height, width) in zip(entries, SIZES, sizes_of(name), strict=True):
        entry["image"] = torch.randint(0, 256, (3, height, width), dtype=torch.uint8)
        entry["height"], entry["width"] = height, width
        scale = torch.tensor([width / old[1], height / old[0]] * 2)
        entry["instances"].gt_boxes.tensor.mul_(scale)
    return entries


def own_decoding_of(model: DSCT, pictures: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
    """What the live host's own decoder makes of its contexts; as ``tests.dsct.tiny.own_decoding``."""
    adapter = model.decoder.adapter
    pixels, mask = model.normalizer(pictures)
    inputs = adapter.decoder_inputs(pixels, mask)
    if hasattr(model.host.transformer, "decoder"):
        parameters = inspect.signature(model.host.transformer.decoder.forward).parameters.values()
        needed = [p.name for p in parameters if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
        return own_decoding(model.host, dict.fromkeys(needed) | inputs)  # capturing drops what is None
    states: list[Tensor] = []  # Anchor-DETR has layers but no decoder
    hooks = [layer.register_forward_hook(lambda _, args, out: states.append(out)) for layer in adapter.layers]
    features, padding = adapter.features(pixels, mask)
    model.host.transformer(features[:, None], padding)
    for hook in hooks:
        hook.remove()
    return torch.stack(states), [inputs["reference_points"]] * len(states)


def pictures_for(name: str) -> list[Tensor]:
    return [entry["image"] for entry in batch_for(name)]


def of_layers(layers: Sequence[LayerOutput], field: str) -> Tensor:
    return torch.stack([getattr(layer, field) for layer in layers])


def largest(a: Tensor, b: Tensor) -> float:
    assert a.shape == b.shape
    return (a - b).abs().max().item() if a.numel() else 0.0
