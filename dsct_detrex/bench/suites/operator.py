"""Multi-scale deformable attention: every backend against the usual PyTorch fallback.

Backends that cannot run on the device are left out; ``dsct info`` says why. ``operator`` begins with locations and
weights; ``from logits`` with what a network predicts, so that the softmax and the locations count too, and a backend
may do all in one pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dsct_detrex.bench.contracts import LARGE, SMALL, Candidate, Case, Ready, Setting, Size
from dsct_detrex.bench.gradients import forward_backward
from dsct_detrex.bench.models import inference
from dsct_detrex.bench.official import load_official
from dsct_detrex.bench.outcomes import bytes_of
from dsct_detrex.bench.sampling import Sampling, make_sampling, stacked_grid_sample
from dsct_detrex.integrations.detrex.fallback import fallback_operator
from dsct_detrex.integrations.detrex_operator import register_detrex_operator
from dsct_detrex.ops import available_backends, fused_deformable_attn, multi_scale_deformable_attn, use_backend
from dsct_detrex.ops.backends import find_backend
from dsct_detrex.ops.fused import attention_weights, sampling_locations

QUERIES = 300

Operator = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]
"""(value, shapes, starts, locations, weights) -> (B, Q, H * D)."""


def cases(setting: Setting) -> Iterator[Case]:
    register_detrex_operator()
    for size in setting.sizes_or(SMALL, LARGE):
        for queries in (None, QUERIES):
            for logits in (False, True):
                for backward in (False, True):
                    yield _case(setting, size, queries, logits, backward)


def _case(setting: Setting, size: Size, queries: int | None, logits: bool, backward: bool) -> Case:
    start = _from_logits if logits else _operator

    def candidate(name: str, operator: Operator, backend: str = "") -> Candidate:
        def build() -> Ready:
            call, inputs, sampling = start(make_sampling(size, queries, setting.device), operator, backend)
            return _ready(call, inputs, sampling.grad_output, backward, countable=operator is stacked_grid_sample)

        return Candidate(name, build)

    candidates = [candidate("stacked grid_sample", stacked_grid_sample)]
    if official := setting.rival("official"):
        candidates.append(candidate("official", partial(_official, official.folder)))
    if detrex := setting.rival("detrex"):
        candidates.append(candidate("detrex fallback", partial(_detrex, detrex.folder)))
    anything = torch.zeros(1, 1, 1, 1, device=setting.device)
    able = [name for name in available_backends() if find_backend(name).supports(anything)]
    candidates += [candidate(name, multi_scale_deformable_attn, name) for name in able]
    who = "encoder" if queries is None else f"decoder, {queries} queries"
    names = ["from logits" if logits else "operator", "forward + backward" if backward else "forward"]
    return Case(f"{who}, {size}, {', '.join(names)}", candidates)


def _official(folder: Path, *given: Tensor) -> Tensor:
    return load_official(folder).operator(*given)


def _detrex(folder: Path, *given: Tensor) -> Tensor:
    return fallback_operator(folder)(*given)


def _operator(sampling: Sampling, operator: Operator, backend: str) -> tuple[Any, list[Tensor], Sampling]:
    """A call of the operator alone."""
    locations = sampling_locations(sampling.references, sampling.offsets, sampling.shapes)
    inputs = [sampling.value, locations, attention_weights(sampling.logits)]

    def call(value: Tensor, locations: Tensor, weights: Tensor) -> Tensor:
        with _backend(backend):
            return operator(value, sampling.shapes, sampling.starts, locations, weights)

    return call, inputs, sampling


def _from_logits(sampling: Sampling, operator: Operator, backend: str) -> tuple[Any, list[Tensor], Sampling]:
    """A call that begins with offsets and logits."""
    inputs = [sampling.value, sampling.offsets, sampling.logits]

    def fused(value: Tensor, offsets: Tensor, logits: Tensor) -> Tensor:
        with use_backend(backend):
            return fused_deformable_attn(value, sampling.shapes, sampling.starts, sampling.references, offsets, logits)

    def apart(value: Tensor, offsets: Tensor, logits: Tensor) -> Tensor:
        locations = sampling_locations(sampling.references, offsets, sampling.shapes)
        return operator(value, sampling.shapes, sampling.starts, locations, attention_weights(logits))

    return fused if backend else apart, inputs, sampling


def _ready(
    call: Callable[..., Tensor], inputs: list[Tensor], grad_output: Tensor, backward: bool, countable: bool
) -> Ready:
    traffic = bytes_of(inputs, grad_output)  # the output is as large as its gradient
    run = forward_backward(call, inputs) if backward else inference(lambda: call(*inputs))
    return Ready(run, traffic=2 * traffic if backward else traffic, countable=(lambda: run) if countable else None)


class _backend:
    """``use_backend`` where one is named; the others have none to choose."""

    def __init__(self, name: str) -> None:
        self.chosen = use_backend(name) if name else None

    def __enter__(self) -> None:
        if self.chosen:
            self.chosen.__enter__()

    def __exit__(self, *error: Any) -> None:
        if self.chosen:
            self.chosen.__exit__(*error)
