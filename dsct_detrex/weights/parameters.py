"""How many numbers a file of weights has that training can change."""

from __future__ import annotations

from collections.abc import Iterable

from torch import Tensor

_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


def count_parameters(named: Iterable[tuple[str, Tensor]]) -> int:
    """Numbers that training can change, each once; statistics of norms are none."""
    kept = {
        (tensor.data_ptr(), tensor.shape): tensor.numel()
        for name, tensor in named
        if tensor.is_floating_point() and not name.endswith(_STATISTICS)
    }
    return sum(kept.values())
