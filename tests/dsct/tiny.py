"""Tiny DSCT models on every host of the table: the real configs with small numbers and weights that hide nothing."""

import copy
import functools
from collections.abc import Callable
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf
from torch import Tensor, nn
from torchvision.ops import FrozenBatchNorm2d

from dsct_detrex.config import get_config, instantiate
from dsct_detrex.config.copies import duplicate
from dsct_detrex.dsct import DSCT, RelationalAggregation
from dsct_detrex.objective import DSCTCriterion, HungarianMatcher, focal_for
from dsct_detrex.structures import CAER_S, EMOTIC, Boxes, Instances

TABLE = get_config("common/hosts.py").hosts
HOSTS = tuple(TABLE)
EMOTIONS = {"emotic": EMOTIC, "caer_s": CAER_S}
SIZES = ((96, 128), (64, 96))

# Small numbers for whatever key of a host's config has such a name, wherever it stands.
SMALL = {
    "depth": 18,
    "backbone.name": "resnet18",
    "num_queries": 20,
    "num_queries_one2one": 20,
    "num_queries_one2many": 10,
    "num_query_position": 10,
    "feedforward_dim": 32,
    "dim_feedforward": 32,
    "dropout": 0.0,
    "attn_dropout": 0.0,
    "ffn_dropout": 0.0,
    "encoder.num_layers": 1,
    "decoder.num_layers": 2,
    "num_encoder_layers": 1,
    "num_decoder_layers": 2,
}


def kind_of(name: str) -> str:
    """The host that a variant, called ``<host>_<what>``, is one of; the name itself where it is no variant."""
    return next((host for host in HOSTS if name.startswith(f"{host}_")), name)


def tiny_host(name: str) -> nn.Module:
    """The host of a config with ResNet-18, one encoder layer, two decoder layers and randomised weights."""
    config = duplicate(TABLE[name])
    shrink(config)
    config.backbone._target_ = functools.partial(drawn_backbone, config.backbone._target_)
    host: nn.Module = instantiate(OmegaConf.create({"host": config}, flags={"allow_objects": True}).host)
    for part, module in host.named_children():
        if part != "backbone":
            randomised(module)
    return host


_drawn: dict[str, nn.Module] = {}


def drawn_backbone(kind: Callable[..., nn.Module], **arguments: Any) -> nn.Module:
    """A randomised backbone, always with the same weights: drawing eleven million of them anew takes most of a test."""
    key = f"{kind} {arguments}"
    if key not in _drawn:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)
            _drawn[key] = randomised(kind(**arguments))
        calm(_drawn[key])
    return copy.deepcopy(_drawn[key])


def calm(backbone: nn.Module) -> None:
    """Damp every norm of a random backbone: its maps, in the thousands otherwise, drown all gradients behind them."""
    for module in backbone.modules():
        if isinstance(module, (FrozenBatchNorm2d, nn.BatchNorm2d)):
            module.weight.data.mul_(0.45)


def shrink(config: DictConfig, parent: str = "") -> None:
    """Set every number of a config tree that ``SMALL`` names; a key that refers to another one keeps doing so."""
    for key in config:
        if OmegaConf.is_interpolation(config, key):
            continue
        small = SMALL.get(f"{parent}.{key}", SMALL.get(key))
        if small is not None:
            config[key] = small
        elif OmegaConf.is_dict(config[key]):
            shrink(config[key], key)


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


def in_double(model: DSCT, inputs: dict[str, Any]) -> dict[str, Any]:
    """The rest of the computation in double precision, where rounding cannot be mistaken for a leak or hide one."""
    model.double()
    return floats_to(torch.float64, inputs)


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


def own_decoding(host: Any, inputs: dict[str, Any]) -> tuple[Tensor, list[Tensor]]:
    """A host's own decoder on captured keywords, whatever its layout and its way to report references.

    Returns:
        (L, B, M, C) states, and for each layer the (B, M, 0 | 2 | 4) references entering it, batch first.
    """
    if "tgt" in inputs:  # Anchor-DETR: no decoder module, static references
        arguments, entering = dict(inputs), [inputs["tgt"]]
        del arguments["tgt"]
        for layer in host.transformer.decoder_layers:
            entering.append(layer(entering[-1], **arguments))
        states = torch.stack(entering[1:])
        return states, inputs["reference_points"].expand(len(states), -1, -1, -1)
    out = host.transformer.decoder(**decoder_keywords(inputs))
    if isinstance(out, Tensor):  # DETR: states alone, sequence first
        states = out.transpose(1, 2)
        return states, list(states[..., :0])
    states, references = out
    if "reference_points" in inputs:  # the deformable family reports references after each layer
        initial = inputs["reference_points"].expand(states.shape[1], -1, -1)
        return states, [initial, *references[:-1]]
    return states, list(references.expand(len(states), -1, -1, -1))


def decoder_keywords(inputs: dict[str, Any]) -> dict[str, Any]:
    """Captured keywords without what the adapters of the single-scale family put beside them."""
    return {key: value for key, value in inputs.items() if key != "memory_size"}


def floats_to(dtype: torch.dtype, inputs: dict[str, Any]) -> dict[str, Any]:
    """Captured keywords with their floating-point tensors in another precision."""
    return {
        key: value.to(dtype) if isinstance(value, Tensor) and value.is_floating_point() else value
        for key, value in inputs.items()
    }


def with_noise(maps: Any, masks: Any) -> Any:
    """Feature maps, one or a list, with noise where they are padding."""
    if isinstance(maps, Tensor):
        return maps + masks[:, None] * torch.randn_like(maps)
    return [with_noise(x, m) for x, m in zip(maps, masks, strict=True)]
