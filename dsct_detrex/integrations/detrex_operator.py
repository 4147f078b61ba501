"""detrex's compiled CUDA operator as a backend of ``ops.multi_scale_deformable_attn``.

detrex builds it as ``detrex._C`` (``detrex/layers/csrc``). Where it is there, GPU tensors use it; the choice is made
per call, so a CPU run of the same installation keeps the CPU backend. Importing this module imports nothing of detrex.
"""

from __future__ import annotations

import functools
import importlib
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterable
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from dsct_detrex.ops import Backend, register_backend

OPERATOR = "detrex._C"

_LARGEST_STEP = 64
"""Images that the kernel works on at a time, at most; the batch must be a multiple of it."""

STAND_IN_MARK = "_dsct_detrex_stand_in"
"""Attribute of a module that plays ``detrex._C`` by calling ``ops``; as a backend of ``ops`` it would never end."""


class _DetrexAttention(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, *inputs: Tensor) -> Tensor:
        ctx.save_for_backward(*inputs)
        output: Tensor = _operator().ms_deform_attn_forward(*inputs, _step(len(inputs[0])))
        return output

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        inputs = ctx.saved_tensors
        value, locations, weights = _operator().ms_deform_attn_backward(
            *inputs, gradients[0].contiguous(), _step(len(inputs[0]))
        )
        return value, None, None, locations, weights


def forward(value: Tensor, shapes: Tensor, starts: Tensor, locations: Tensor, weights: Tensor) -> Tensor:
    """The backend's entry point; arguments and result as in ``ops.multi_scale_deformable_attn``."""
    inputs = (tensor.contiguous() for tensor in (value, shapes, starts, locations, weights))
    output: Tensor = _DetrexAttention.apply(*inputs)
    return output


def register_detrex_operator() -> None:
    """Make the operator known as backend ``detrex``; it supports nothing where it was never compiled."""
    register_backend(
        Backend(
            name="detrex",
            forward=forward,
            supports=lambda value: value.is_cuda and _operator() is not None,
            priority=20,
            needs="GPU tensors and detrex with its compiled operator (detrex._C)",
        )
    )


def compiled_operator(package: Iterable[str]) -> str | None:
    """The file of the compiled operator in the folders of the package ``detrex``, or None; nothing is imported."""
    spec = importlib.machinery.PathFinder.find_spec(OPERATOR, list(package))
    return None if spec is None else spec.origin


@functools.cache
def _operator() -> Any:
    """The module ``detrex._C`` with its two functions, or None."""
    spec = importlib.util.find_spec("detrex")
    if spec is None:
        return None
    if OPERATOR not in sys.modules and compiled_operator(spec.submodule_search_locations or ()) is None:
        return None  # never compiled: do not import detrex to hear so
    try:
        module: ModuleType = importlib.import_module(OPERATOR)
    except ImportError:  # compiled for another torch, or detrex lacks a package: this is what ``supports`` says
        return None
    if hasattr(module, STAND_IN_MARK):
        return None
    return module if hasattr(module, "ms_deform_attn_forward") else None


def forget_operator() -> None:
    """Look again at the next call: detrex may have come onto the path, or a stand-in taken the operator's place."""
    _operator.cache_clear()


def _step(images: int) -> int:
    """The largest number of images up to 64 that divides the batch."""
    return next(step for step in range(min(_LARGEST_STEP, images), 0, -1) if images % step == 0)
