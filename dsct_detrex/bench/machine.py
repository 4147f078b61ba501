"""What a measurement was made on: enough to tell two machines apart, and nothing that names a user or a folder."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import torch

from dsct_detrex import __version__
from dsct_detrex.info.machine import devices, installed

_PACKAGES = ("torch", "numba", "numpy", "torchvision", "triton")


def describe(device: torch.device) -> dict[str, Any]:
    """``processor``, its ``instructions`` as torch knows them, ``cores``, ``threads``, ``device``, ``versions``."""
    versions = {"dsct_detrex": __version__, "python": platform.python_version()}
    versions |= {name: known for name in _PACKAGES if (known := installed(name))}
    return {
        "processor": f"{_processor()}, {torch.backends.cpu.get_cpu_capability()}",
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": _device(device),
        "versions": versions,
    }


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    if facts.exists():
        for line in facts.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _device(device: torch.device) -> str:
    if device.type == "cpu":
        return "CPU"
    described = {one["name"]: one["description"] for one in devices()}
    return described.get(str(device), str(device))
