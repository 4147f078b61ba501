"""How far the results of two candidates lie apart, whatever they are nested in: a faster wrong one must show."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from torch import Tensor


def tensors_of(outcome: Any, detach: bool = True) -> Iterator[Tensor]:
    """The floating-point tensors in tensors, sequences, mappings and dataclasses, in their order."""
    if isinstance(outcome, Tensor):
        if outcome.is_floating_point():
            yield outcome.detach() if detach else outcome
        return
    within: Iterable[Any] = ()
    if isinstance(outcome, Mapping):
        within = outcome.values()
    elif isinstance(outcome, list | tuple):
        within = outcome
    elif dataclasses.is_dataclass(outcome):
        within = (getattr(outcome, one.name) for one in dataclasses.fields(outcome))
    for value in within:
        yield from tensors_of(value, detach)


def largest_difference(outcome: Any, reference: Any) -> float:
    """The largest difference of two results; infinite where they have other shapes or NaN.

    It is absolute, but relative to the largest number of a tensor where that exceeds 1.
    """
    ours, theirs = list(tensors_of(outcome)), list(tensors_of(reference))
    if [tensor.shape for tensor in ours] != [tensor.shape for tensor in theirs]:
        return math.inf
    apart = [_apart(one, other) for one, other in zip(ours, theirs) if one.numel()]
    return max(apart, default=math.nan)


def bytes_of(*outcomes: Any) -> int:
    """Of all floating-point tensors, each counted where it occurs."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors_of(outcomes))


def _apart(one: Tensor, other: Tensor) -> float:
    wide = other.to(one.device).double()
    difference = float((one.double() - wide).abs().max() / wide.abs().max().clamp(min=1))
    return math.inf if math.isnan(difference) else difference
