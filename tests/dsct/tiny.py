"""Tiny DSCT models on every host of the table: the real configs with small numbers and weights that hide nothing."""

from typing import Any

import torch
from omegaconf import OmegaConf
from torch import Tensor, nn

from dsct_detrex.config import get_config, instantiate
from dsct_detrex.dsct import DSCT, RelationalAggregation
from dsct_detrex.objective import DSCTCriterion, HungarianMatcher, focal_for
from dsct_detrex.structures import CAER_S, EMOTIC, Boxes, Instances

HOSTS = tuple(get_config("common/hosts.py").hosts)
EMOTIONS = {"emotic": EMOTIC, "caer_s": CAER_S}
SIZES = ((96, 128), (64, 96))


def tiny_host(name: str, num_queries: int = 20) -> nn.Module:
    """The host of a config with ResNet-18, one encoder layer, two decoder layers and randomised weights."""
    config = get_config("common/hosts.py").hosts[name]
    config.backbone.depth = 18
    config.num_queries = num_queries
    for part, layers in (("encoder", 1), ("decoder", 2)):
        config.transformer[part].num_layers = layers
        config.transformer[part].feedforward_dim = 32
        config.transformer[part].attn_dropout = config.transformer[part].ffn_dropout = 0.0
    host: nn.Module = instantiate(OmegaConf.create({"host": config}, flags={"allow_objects": True}).host)
    return randomised(host)


def randomised(module: nn.Module, std: float = 0.05) -> nn.Module:
    """Add noise to every parameter, so that no zero-initialised branch hides an error."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(std * torch.randn_like(parameter))
    return module


def tiny_dsct(name: str, emotions: str = "caer_s", num_subjects: int = 3, **switches: Any) -> DSCT:
    """DSCT on a tiny host, with a criterion; ``switches`` go to ``DSCT``."""
    focal = focal_for(EMOTIONS[emotions])
    settings: dict[str, Any] = {
        "aggregation": RelationalAggregation("official", 6, 4),
        "criterion": DSCTCriterion(HungarianMatcher(focal), focal),
    }
    model = DSCT(tiny_host(name), EMOTIONS[emotions], num_subjects=num_subjects, **(settings | switches))
    randomised(model.heads)
    return model


def images(*sizes: tuple[int, int]) -> list[Tensor]:
    """Random pictures, (3, h, w) uint8."""
    return [torch.randint(0, 256, (3, *size), dtype=torch.uint8) for size in sizes or SIZES]


def batch(emotions: str = "caer_s", people: tuple[int, ...] = (2, 1)) -> list[dict[str, Any]]:
    """A training batch: image i has ``people[i]`` people."""
    kind = EMOTIONS[emotions]
    entries = []
    for image, count in zip(images(), people, strict=True):
        height, width = image.shape[-2:]
        corners = torch.rand(count, 2, 2).sort(1).values * 0.5
        boxes = torch.cat([corners[:, 0], corners[:, 1] + 0.3], -1) * torch.tensor([width, height] * 2)
        labels = kind.encode([[i % 7] for i in range(count)])
        people_of = Instances((height, width), gt_boxes=Boxes(boxes), **{kind.target_field: labels})
        entries.append({"image": image, "height": height, "width": width, "instances": people_of})
    return entries
