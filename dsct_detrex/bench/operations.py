"""Counts floating-point operations of one call: a multiplication and an addition are two.

Products and convolutions are counted by torch's own formulas. Deformable attention is counted where its plain PyTorch
form samples: a sampled channel is a sum of four corners (four products, four additions) and enters one weighted sum
(two more). Backward takes twice as many, as for products. Softmax, norms and other elementwise work are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from dsct_detrex.ops import use_backend

PER_SAMPLED_CHANNEL = 10


def count_operations(run: Callable[[], Any]) -> int:
    """Operations of one call, with the backend of ``ops`` that can be counted."""
    counter: Any = _Counter()  # type: ignore[no-untyped-call]
    with use_backend("pytorch"), counter:
        run()
    return int(counter.total)


class _Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up what every operation of torch costs by its formula.

    Not torch's ``FlopCounterMode``, which also follows modules by hooks and fails where gradients are off or asked for
    with ``torch.autograd.grad``.
    """

    total: int = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        kind = func._overloadpacket
        if kind in _SAMPLING:
            self.total += _SAMPLING[kind](args, out)
        elif kind in flop_registry:
            self.total += int(flop_registry[kind](*args, **(kwargs or {}), out_val=out))
        return out


def _sampled(args: Any, out: Any) -> int:
    return PER_SAMPLED_CHANNEL * int(out.numel())


_SAMPLING: dict[Any, Callable[[Any, Any], int]] = {
    torch.ops.aten.grid_sampler_2d: _sampled,
    torch.ops.aten.cudnn_grid_sampler: _sampled,
    torch.ops.aten.grid_sampler_2d_backward: lambda args, out: 2 * _sampled(args, args[0]),
    torch.ops.aten.cudnn_grid_sampler_backward: lambda args, out: 2 * _sampled(args, args[2]),
}
