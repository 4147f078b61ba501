"""``environment.json``: the versions, the machine and the command that produced a folder of results."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

import dsct_detrex
from dsct_detrex.cli.invocation import this_command
from dsct_detrex.engine import ddp
from dsct_detrex.engine.files import write_json

_PACKAGES = ("torchvision", "numpy", "scipy", "omegaconf", "numba", "triton", "wandb", "detectron2", "detrex")


def describe_environment(device: torch.device, seed: int, started_by: Sequence[str] = ()) -> dict[str, Any]:
    """Everything as plain values; a package that is not installed is null.

    Args:
        started_by: by their names, see ``elastic.launchers``.
    """
    return {
        "command": this_command(),
        "working_directory": os.getcwd(),
        "dsct_detrex": dsct_detrex.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {"torch": torch.__version__, **{name: _version(name) for name in _PACKAGES}},
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else str(device),
        "processes": ddp.world_size(),
        "launchers": list(started_by),
        "threads": torch.get_num_threads(),
        "seed": seed,
    }


def save_environment(path: Path, device: torch.device, seed: int, started_by: Sequence[str] = ()) -> None:
    write_json(path, describe_environment(device, seed, started_by))


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
