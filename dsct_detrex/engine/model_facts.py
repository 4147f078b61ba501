"""What a config's model is, in a few words: its host, its backbone, how many weights it has, what computes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from dsct_detrex.counting import counted
from dsct_detrex.engine import ddp
from dsct_detrex.engine.precision import precision_words
from dsct_detrex.engine.settings import TrainSettings
from dsct_detrex.engine.summary import count_parameters
from dsct_detrex.evaluation.formatting import millions
from dsct_detrex.ops.backends import choose_backend

_OPERATOR = "MultiScaleDeform"  # how the class of the layer begins, ours and detrex's


def model_words(config: Mapping[str, Any], model: nn.Module) -> str:
    """``"DSCT on dino, ResNet-50: 47.5 M parameters, 47.3 M trained"``.

    Args:
        config: resolved, as plain values.
        model: bare, as it will be trained.
    """
    block = config["model"]
    host = (config.get("host") or {}).get("name") if "host" in block else None
    blocks = [block.get("host"), block] if isinstance(block.get("host"), Mapping) else [block]
    backbones = [
        backbone_words(value) for one in blocks for name, value in one.items() if name.endswith("backbone") and value
    ]
    parts = [f"{_name(block)}{f' on {host}' if host else ''}", *dict.fromkeys(backbones)]
    total, trained = count_parameters(model)
    return f"{', '.join(parts)}: {millions(total)} parameters, {millions(trained)} trained"


def backbone_words(block: Any) -> str:
    """``"ResNet-50"``, ``"ResNet-50 (width 128)"``, or the name of the class, of a backbone's block."""
    if not isinstance(block, Mapping):
        return str(block)
    stages = block.get("stages")
    depth = block.get("depth") or (stages.get("depth") if isinstance(stages, Mapping) else None)
    name = str(block.get("model_name") or _name(block))
    wide = block.get("width_per_group", 64)
    return f"{name}{f'-{depth}' if depth else ''}{f' (width {wide})' if wide != 64 else ''}"


def device_words(settings: TrainSettings, device: torch.device, model: nn.Module) -> str:
    """``"cpu, 2 threads, float32, deformable attention by numba (fused)"``.

    Raises:
        BackendError: the backend that was asked for cannot run on this device.
    """
    parts = [
        torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        counted(torch.get_num_threads(), "thread") if device.type == "cpu" else "",
        f"{ddp.world_size()} processes" if ddp.world_size() > 1 else "",
        precision_words(settings.amp, device),
    ]
    if any(type(module).__name__.startswith(_OPERATOR) for module in model.modules()):
        usual = torch.empty(1, 1, 8, 32, device=device)  # (B, S, heads, channels of a head): a backend may be choosy
        parts.append(f"deformable attention by {choose_backend(usual).words()}")
    return ", ".join(filter(None, parts))


def _name(block: Mapping[str, Any]) -> str:
    return str(block.get("_target_", "model")).rpartition(".")[2]
