"""In which precision a training multiplies, and why: what was asked for, and what the machine has arithmetic for.

Autocast pays where the processor multiplies 16-bit numbers itself; elsewhere every product is emulated and slower than
in float32. ``train.amp.enabled=auto`` asks torch which it is. Evaluations multiply in float32 either way.
"""

from __future__ import annotations

import dataclasses

import torch

from dsct_detrex.engine.settings import Amp

_CPU_FLAGS = ("avx512_bf16", "amx_bf16")


def settled(amp: Amp, device: torch.device) -> Amp:
    """What a training on a device does: ``enabled`` is True or False."""
    enabled = multiplies(amp.dtype, device) if amp.enabled == "auto" else bool(amp.enabled)
    return dataclasses.replace(amp, enabled=enabled)


def precision_words(amp: Amp, device: torch.device) -> str:
    """``"bfloat16 autocast"``, ``"float32"``, with the reason where the machine decided or would advise otherwise."""
    has, machine = multiplies(amp.dtype, device), _spoken(device)
    if amp.enabled == "auto":
        if has:
            return f"{amp.dtype} autocast, in which {machine} multiplies"
        return f"float32: {machine} has no {amp.dtype} arithmetic"
    if amp.enabled and not has:
        return f"{amp.dtype} autocast, slower than float32: {machine} has no {amp.dtype} arithmetic"
    return f"{amp.dtype} autocast" if amp.enabled else "float32"


def multiplies(dtype: str, device: torch.device) -> bool:
    """Whether a device multiplies ``bfloat16`` or ``float16`` in hardware, as far as this torch can tell.

    A torch without ``torch.cpu.get_capabilities`` does not tell of CPUs; then they have none.
    """
    if device.type == "cuda":
        if dtype == "float16" or torch.version.hip is not None:
            return True
        return torch.cuda.get_device_capability(device) >= (8, 0)  # Ampere; torch emulates it on older ones
    if device.type != "cpu" or dtype != "bfloat16":
        return False
    capabilities: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(flag) for flag in _CPU_FLAGS)


def _spoken(device: torch.device) -> str:
    return {"cpu": "this CPU", "cuda": "this GPU"}.get(device.type, f"torch's {device.type}")
