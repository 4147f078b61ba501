"""Triton as a backend: for GPUs where detrex's CUDA operator was never compiled; no compiler but triton's own.

Two names, one implementation: `triton` adds the gradients of `value` atomically, in an order that differs from run to
run, unless `torch.use_deterministic_algorithms(True)` is set; `triton-deterministic` always sorts (slower, and some 16
bytes a sample more). Triton is imported at the first use, and a CPU sees it only where it was asked for by name with
`TRITON_INTERPRET=1` in the environment: that runs the kernels in triton's interpreter, for tests.
"""

import functools
import importlib.util
import os
import re
from importlib.metadata import PackageNotFoundError, version

import torch
from torch import Tensor

from dsct_detrex.ops.backends import Backend, BackendError, register_backend

INTERPRETER_VARIABLE = "TRITON_INTERPRET"

_DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_CHANNELS = 4096
"""Channels of a head that fit into the registers of one program."""

_CAPABILITY = (7, 0)
"""Oldest compute capability (major, minor) of NVIDIA GPUs that triton compiles for."""

_OLDEST = (3, 3)
"""Of triton, which torch 2.7 brings along: with 3.0 to 3.2 the kernels give other numbers in triton's interpreter."""

_NEEDS = (
    "a GPU of compute capability 7.0 or newer, at most 4096 channels a head and the package triton from 3.3 on (which "
    "torch for Linux GPUs brings along from 2.7 on)"
)


def forward(
    value: Tensor, shapes: Tensor, starts: Tensor, locations: Tensor, weights: Tensor, *, deterministic: bool = False
) -> Tensor:
    """The backend's entry point; arguments and result as in `multi_scale_deformable_attn`, one float dtype."""
    return _run(value, shapes, starts, None, locations, weights, deterministic)


def fused(
    value: Tensor,
    shapes: Tensor,
    starts: Tensor,
    references: Tensor,
    offsets: Tensor,
    logits: Tensor,
    *,
    deterministic: bool = False,
) -> Tensor:
    """Softmax, locations and sampling in one kernel; arguments and result as in `fused_deformable_attn`."""
    return _run(value, shapes, starts, references, offsets, logits, deterministic)


def register_triton() -> None:
    """Make both names known: after detrex's operator (priority 20), before what else runs on a GPU."""
    for name, priority, deterministic in (("triton", 15, False), ("triton-deterministic", 14, True)):
        register_backend(
            Backend(
                name=name,
                forward=functools.partial(forward, deterministic=deterministic),
                supports=_supports,
                priority=priority,
                needs=_NEEDS,
                fused=functools.partial(fused, deterministic=deterministic),
                on_request=_on_request,
            )
        )


def _run(
    value: Tensor,
    shapes: Tensor,
    starts: Tensor,
    references: Tensor | None,
    offsets: Tensor,
    logits: Tensor,
    deterministic: bool,
) -> Tensor:
    from dsct_detrex.ops import triton_operator, triton_tile  # noqa: F401  (registers; on first use: imports triton)

    if value.device.type == "cpu" and not triton_tile.INTERPRETED:
        raise BackendError(
            f"The deformable-attention backend 'triton' runs on a CPU only if {INTERPRETER_VARIABLE}=1 was set before "
            "triton was imported; set it before python starts."
        )
    output: Tensor = torch.ops.dsct_detrex.triton_attention(
        value, shapes, starts, references, offsets, logits, deterministic
    )
    return output.flatten(2)


def _supports(value: Tensor) -> bool:
    return value.is_cuda and _fits(value) and _compiles_for(value.device)


def _on_request(value: Tensor) -> bool:
    interpreted = value.device.type == "cpu" and os.environ.get(INTERPRETER_VARIABLE) == "1"
    return (interpreted or value.is_meta) and _fits(value) and is_installed()


def _fits(value: Tensor) -> bool:
    return value.shape[-1] <= _CHANNELS and value.dtype in _DTYPES


@functools.cache
def is_installed() -> bool:
    """Whether triton is there, in a version whose numbers are right."""
    return importlib.util.find_spec("triton") is not None and _version() >= _OLDEST


def _version() -> tuple[int, ...]:
    """Of triton, major and minor; its builds for AMD and of the night have names of their own."""
    for package in ("triton", "pytorch-triton", "pytorch-triton-rocm", "triton-rocm", "triton-xpu"):
        try:
            return tuple(int(number) for number in re.findall(r"\d+", version(package))[:2])
        except PackageNotFoundError:
            continue
    return (0,)


@functools.cache
def _compiles_for(device: torch.device) -> bool:
    if not is_installed() or not torch.cuda.is_available():
        return False
    return torch.version.hip is not None or torch.cuda.get_device_capability(device) >= _CAPABILITY
