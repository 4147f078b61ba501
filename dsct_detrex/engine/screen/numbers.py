"""The numbers of a training as words: a whole line for files, and short parts, the most wanted first, for a bar."""

from __future__ import annotations

import re

from dsct_detrex.engine.contracts import Scalars

_AUXILIARY = re.compile(r"loss.*_(\d+|enc|dn)")
_SHOWN = ("lr", "grad_norm", "time", "data_time")
_SEPARATOR = "  "


def describe(scalars: Scalars) -> str:
    """``epoch 0.8  eta 0:01:20  total_loss 3.2  loss_class 1.1 ...``, without the losses of auxiliary layers."""
    parts = []
    if "epoch" in scalars:
        parts.append(f"epoch {scalars['epoch']:.2f}")
    if "eta_seconds" in scalars:
        parts.append(f"eta {clock(scalars['eta_seconds'])}")
    parts += [f"{name} {scalars[name]:.4g}" for name in (*_losses(scalars), *_SHOWN) if name in scalars]
    parts += [f"{name} {scalars[name]:.0f}" for name in _memory(scalars)]
    return _SEPARATOR.join(parts)


def short_parts(scalars: Scalars) -> list[str]:
    """``loss 3.2``, ``class 1.1``, ..., ``lr 0.0001``: the total, the losses it is made of, then the rest."""
    total, *others = [*_losses(scalars), ""]
    parts = [f"loss {scalars[total]:.4g}"] if total else []
    parts += [f"{name.removeprefix('loss_')} {scalars[name]:.3g}" for name in others if name]
    parts += [f"{name} {scalars[name]:.3g}" for name in ("lr",) if name in scalars]
    parts += [f"epoch {scalars['epoch']:.2f}"] if "epoch" in scalars else []
    parts += [f"{scalars['time']:.2g} s a step"] if "time" in scalars else []
    parts += [f"gradient {scalars['grad_norm']:.3g}"] if "grad_norm" in scalars else []
    parts += [f"waiting for data {scalars['data_time']:.2g} s"] if "data_time" in scalars else []
    parts += [f"{scalars[name]:.0f} MB" for name in _memory(scalars)]
    return parts


def fitting(parts: list[str], width: int) -> str:
    """As many of the parts, from the first on, as one line holds."""
    line = ""
    for part in parts:
        longer = f"{line}{_SEPARATOR if line else ''}{part}"
        if len(longer) > width:
            break
        line = longer
    return line


def clock(seconds: float) -> str:
    """Seconds as h:mm:ss."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def _losses(scalars: Scalars) -> list[str]:
    """The total, then its parts; those of auxiliary layers are left out."""
    names = [name for name in scalars if "loss" in name and not _AUXILIARY.fullmatch(name) and "/" not in name]
    return sorted(names, key=lambda name: name != "total_loss")


def _memory(scalars: Scalars) -> list[str]:
    return [name for name in ("gpu_mem_mb", "mem_mb") if name in scalars]
