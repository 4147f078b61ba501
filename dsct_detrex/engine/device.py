"""Which device a run uses, and how much memory it took there."""

from __future__ import annotations

import sys

import torch

from dsct_detrex.engine.contracts import Scalars
from dsct_detrex.errors import UserError

_KNOWN = ("auto", "cpu", "cuda", "mps")


def choose_device(name: str, local_rank: int = 0) -> torch.device:
    """The device of this process.

    Args:
        name: ``auto`` (the best one there is), ``cpu``, ``mps``, ``cuda`` or ``cuda:<index>``.
        local_rank: this process's number on its machine; ``cuda`` without an index becomes ``cuda:<local_rank>``.

    Raises:
        UserError: an unknown name, or a device this machine or this installation of torch does not have.
    """
    kind = name.split(":")[0]
    if kind not in _KNOWN:
        raise UserError(f"train.device expects one of {', '.join(_KNOWN)}. Got {name!r}.")
    if kind == "auto":
        kind = name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    if kind == "mps" and not torch.backends.mps.is_available():
        raise UserError(
            "train.device=mps needs Apple's Metal backend, which torch does not find here: use --device cpu."
        )
    if kind != "cuda":
        return torch.device(kind)
    if not torch.cuda.is_available():
        raise UserError(
            f"train.device={name} needs a GPU and a CUDA build of torch; torch finds none: use --device cpu."
        )
    number = name.partition(":")[2]
    if ":" in name and not number.isdecimal():
        raise UserError(f"train.device expects cuda:<number of a GPU>. Got {name!r}.")
    index = int(number) if number else local_rank
    if index >= torch.cuda.device_count():
        raise UserError(
            f"Process {local_rank} of this machine wants GPU {index}, but torch sees {torch.cuda.device_count()}: "
            "start fewer processes."
        )
    torch.cuda.set_device(index)
    return torch.device("cuda", index)


def peak_memory(device: torch.device) -> Scalars:
    """``gpu_mem_mb`` on a GPU, else ``mem_mb`` of the process where the system tells it: the highest so far, in MiB."""
    if device.type == "cuda":
        return {"gpu_mem_mb": torch.cuda.max_memory_allocated(device) / 2**20}
    if sys.platform == "win32":
        return {}
    import resource

    unit = 2**20 if sys.platform == "darwin" else 2**10  # ru_maxrss is in bytes on macOS, KiB elsewhere
    return {"mem_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit}
