"""What this machine has: versions, devices, the operator that will be used, detrex, optional packages."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

import dsct_detrex
from dsct_detrex.integrations.detrex import DetrexError, locate
from dsct_detrex.integrations.detrex_operator import register_detrex_operator
from dsct_detrex.ops import BackendError
from dsct_detrex.ops.backends import available_backends, choose_backend, find_backend

PACKAGES = ("torch", "torchvision", "numpy", "scipy", "omegaconf", "pillow", "safetensors", "matplotlib")
OPTIONAL = {
    "numba": "a faster operator on the CPU",
    "wandb": "logging to W&B",
    "wandb-workspaces": "dashboards in W&B",
    "tensorboard": "logging to TensorBoard",
    "pillow-heif": "HEIC pictures",
    "submitit": "sweeps on SLURM",
    "pandas": "tables of predictions",
    "supervision": "predictions for supervision",
    "pyarrow": "Parquet files of predictions",
    "av": "predictions on videos",
    "trackers": "people followed in them",
    "gradio": "the page in the browser",
    "onnxruntime": "exported models",
    "onnx": "exporting to ONNX",
    "facenet-pytorch": "CAER-S's faces",
    "opencv-python-headless": "the same by YuNet",
}
"""Package -> what it is for."""

REQUIREMENTS = {"facenet-pytorch": "'facenet-pytorch<2.6'", "gradio": "'gradio<7'"}
"""Package -> what pip is told, where its name alone brings the wrong version."""

DETREX_INSTALL = (
    "git clone --recursive https://github.com/IDEA-Research/detrex",
    "export DETREX_ROOT=$PWD/detrex",
    "pip install fvcore iopath pycocotools termcolor yacs tabulate cloudpickle timm einops fairscale "
    "opencv-python-headless psutil hydra-core wandb 'setuptools<81'",
)
"""As in ``docs/detrex.md``; nothing has to be compiled."""


def describe_machine() -> dict[str, Any]:
    """Everything as plain values; a package that is not installed is null."""
    register_detrex_operator()
    return {
        "python": {"version": platform.python_version(), "executable": sys.executable},
        "dsct_detrex": {"version": dsct_detrex.__version__, "folder": str(Path(dsct_detrex.__file__).parent)},
        "system": platform.platform(),
        "packages": {name: installed(name) for name in PACKAGES},
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "cuda": torch.version.cuda,
        "devices": devices(),
        "operator": operator(devices()[0]["name"]),
        "detrex": detrex(),
        "optional": {name: installed(name) for name in OPTIONAL},
    }


def installed(package: str) -> str | None:
    """The version of a package, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def devices() -> list[dict[str, str]]:
    """What torch can compute on, that of ``--device auto`` first."""
    found = []
    for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        properties = torch.cuda.get_device_properties(index)
        memory = f"{properties.total_memory / 2**30:.0f} GiB"
        found.append({"name": f"cuda:{index}", "description": f"{properties.name}, {memory}"})
    if torch.backends.mps.is_available():
        found.append({"name": "mps", "description": "Apple GPU"})
    return [*found, {"name": "cpu", "description": platform.processor() or platform.machine()}]


def operator(device: str) -> dict[str, Any]:
    """Which backend computes deformable attention on a device, and of every other why it does not."""
    value = torch.zeros(1, 1, 8, 32, device=device)  # (B, S, heads, channels of a head), as in most models
    try:
        used = choose_backend(value).name
    except BackendError as error:
        return {"device": device, "used": None, "problem": str(error)}
    others = {name: find_backend(name) for name in available_backends() if name != used}
    why = {
        name: "can run too, is slower" if other.supports(value) else f"needs {other.needs}"
        for name, other in others.items()
    }
    return {"device": device, "used": used, "others": why}


def detrex() -> dict[str, Any]:
    """Where detrex and detectron2 are, or why they cannot be used."""
    try:
        found = locate()
    except DetrexError as error:
        return {"found": False, "problem": str(error), "install": list(DETREX_INSTALL)}
    return {
        "found": True,
        "detrex": str(found.detrex),
        "detectron2": str(found.detectron2),
        "projects": None if found.projects is None else str(found.projects),
        "operator": "ours stands in" if found.stand_in else "its own, compiled",
    }
