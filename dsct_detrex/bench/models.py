"""The models that are timed: R50 hosts of the table, full size, with DSCT on them, and what goes into them.

Weights are random but of a kind that computes as trained ones do: no branch is zero, and norms of the backbone are
damped, because undamped random maps grow into the thousands and turn attention into a choice of one.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import Any

import torch
from omegaconf import DictConfig
from torch import Tensor, nn

from dsct_detrex.bench.contracts import Size
from dsct_detrex.config import apply_overrides, load_config
from dsct_detrex.config.building import instantiate
from dsct_detrex.dsct import DSCT
from dsct_detrex.names import hosts
from dsct_detrex.paths import projects_folder
from dsct_detrex.rewrites import rewrite
from dsct_detrex.structures import Boxes, Instances

SUBJECTS = 9
"""N of the goals."""

_NOISE = 0.02
_DAMPING = 0.45
_SEED = 0


def ten_hosts() -> tuple[str, ...]:
    """The hosts of the table without their variants, which are called ``<host>_<what>``."""
    every = hosts()
    return tuple(name for name in every if not any(name.startswith(f"{other}_") for other in every))


def config_of(host: str, *changes: str) -> DictConfig:
    """The config of DSCT on a host, N = 9; ``changes`` are ``key=value``."""
    cfg = copy.deepcopy(_paper())
    changed: DictConfig = apply_overrides(cfg, [f"host.name={host}", f"model.num_subjects={SUBJECTS}", *changes])
    return changed


@cache
def _paper() -> DictConfig:
    """The config of the paper's model; reading its files takes half a second."""
    cfg: DictConfig = load_config(projects_folder() / "deformable_detr_dsct.py")
    return cfg


def build_dsct(host: str, device: torch.device, *changes: str) -> DSCT:
    """DSCT on a host, always with the same weights; ``changes`` as for ``config_of``."""
    return copy.deepcopy(_prototype(host, changes)).to(device)


@lru_cache(maxsize=1)
def _prototype(host: str, changes: tuple[str, ...]) -> DSCT:
    """The model that others are copies of: drawing forty million weights takes longer than copying them."""
    torch.manual_seed(_SEED)
    model: DSCT = instantiate(config_of(host, *changes).model)
    liven(model)
    return model.eval()


def liven(model: nn.Module) -> None:
    """Noise on every weight behind the backbone, damping on the backbone's norms; see the module."""
    with torch.no_grad():
        for name, module in model.named_modules():
            if "backbone" in name.split(".") and isinstance(getattr(module, "running_mean", None), Tensor):
                module.weight.mul_(_DAMPING)
        for name, parameter in model.named_parameters():
            if "backbone" not in name.split("."):
                parameter.add_(_NOISE * torch.randn_like(parameter))


def rewritten(model: DSCT) -> DSCT:
    """The model with every rewrite in front of its modules."""
    rewrite(model)
    return model


def picture(size: Size, device: torch.device) -> Tensor:
    """(3, H, W) uint8, always the same."""
    generator = torch.Generator().manual_seed(_SEED)
    pixels = torch.randint(0, 256, (3, size.height, size.width), dtype=torch.uint8, generator=generator)
    return pixels.to(device)


def batch_of(size: Size, people: int, model: DSCT, images: int = 1) -> list[dict[str, Any]]:
    """A training batch, each picture with so many people at places drawn once."""
    generator = torch.Generator().manual_seed(_SEED)
    batch = []
    for _ in range(images):
        corners = torch.rand(people, 2, generator=generator) * 0.6
        boxes = torch.cat([corners, corners + 0.1 + 0.25 * torch.rand(people, 2, generator=generator)], 1)
        boxes = boxes * torch.tensor([size.width, size.height] * 2)
        fields = {model.emotions.target_field: model.emotions.encode([[person % 7] for person in range(people)])}
        instances = Instances((size.height, size.width), gt_boxes=Boxes(boxes), **fields)
        image = picture(size, torch.device("cpu"))
        batch.append({"image": image, "height": size.height, "width": size.width, "instances": instances})
    return batch


@contextmanager
def without_dropout(model: nn.Module) -> Iterator[None]:
    """Every dropout at zero meanwhile, so that two codes can be compared while they train."""
    places: list[tuple[nn.Module, str]] = [
        (module, "p") for module in model.modules() if isinstance(module, nn.Dropout)
    ]
    places += [(module, "dropout") for module in model.modules() if isinstance(module, nn.MultiheadAttention)]
    kept = [getattr(module, name) for module, name in places]
    try:
        for module, name in places:
            setattr(module, name, 0.0)
        yield
    finally:
        for (module, name), value in zip(places, kept):
            setattr(module, name, value)


def inference(run: Callable[[], Any]) -> Callable[[], Any]:
    """The same call without gradients."""

    def quietly() -> Any:
        with torch.no_grad():
            return run()

    return quietly


def weight_bytes(model: nn.Module) -> int:
    """Of all parameters and buffers, each once."""
    tensors: Sequence[Tensor] = [*model.parameters(), *model.buffers()]
    kept = {tensor.data_ptr(): tensor.numel() * tensor.element_size() for tensor in tensors}
    return sum(kept.values())


def parameters(model: nn.Module) -> int:
    """Numbers that training could change."""
    return sum({p.data_ptr(): p.numel() for p in model.parameters()}.values())
