"""torch's optimizers in one pass over all weights, where the device allows and the config does not say otherwise.

Without a word (``fused`` and ``foreach`` null or absent) torch loops over the weights on a CPU and takes ``foreach`` on
a GPU; its fused kernels compute the same numbers to rounding and keep the same state, so that older runs resume.

They write to weights without torch counting it (``Tensor._version`` stays, torch 2.14), and whatever keeps something
made of the weights (``rewrites``) would keep it for good. Every step of a fused optimizer is therefore counted here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch
from omegaconf import DictConfig, flag_override
from torch.autograd.graph import increment_version
from torch.optim import Optimizer
from torch.utils import _foreach_utils

from dsct_detrex.config import ConfigError
from dsct_detrex.config.building import instantiate


def build_fused(cfg: DictConfig) -> Optimizer:
    """The optimizer of a config, fused where that works; its steps count as changes of the weights."""
    optimizer = _built(cfg)
    if any(group.get("fused") for group in optimizer.param_groups):
        optimizer.register_step_post_hook(_count_step)
    return optimizer


def _count_step(optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    for group in optimizer.param_groups:
        for weight in group["params"]:
            increment_version(weight)  # torch 2.4 takes no list of them


def _built(cfg: DictConfig) -> Optimizer:
    if _undecided(cfg):
        asked = cfg.copy()
        with flag_override(asked, "struct", False):
            asked.fused = True
        asked._set_parent(cfg._get_parent())  # so that references to other blocks still resolve
        try:
            fused: Optimizer = instantiate(asked)
        except ConfigError:
            pass  # weights or a device that torch has no fused kernel for; whatever else is wrong comes up again below
        else:
            if _has_kernels(fused):  # newer releases of torch ask that in the first step only
                return fused
    optimizer: Optimizer = instantiate(cfg)
    return optimizer


def _undecided(cfg: DictConfig) -> bool:
    """Whether it is one of torch's own that can be fused, and nobody said whether it should be."""
    target: Callable[..., Any] | str = cfg.get("_target_", "")
    if isinstance(target, str):
        target = _torchs(target)
    if not (isinstance(target, type) and target.__module__.startswith("torch.optim.")):
        return False
    known = "fused" in inspect.signature(target).parameters
    said = [cfg.get(name) for name in ("fused", "foreach", "differentiable")]
    return known and all(value is None for value in said)


def _has_kernels(optimizer: Optimizer) -> bool:
    """Whether torch has fused kernels for all weights; none where torch does not tell."""
    devices: list[str] = getattr(_foreach_utils, "_get_fused_kernels_supported_devices", list)()
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    return all(weight.device.type in devices and weight.is_floating_point() for weight in weights)


def _torchs(name: str) -> Any:
    module, _, kind = name.rpartition(".")
    return getattr(torch.optim, kind, "") if module.startswith("torch.optim") else ""
