"""What enters and leaves the fusion of every decoder layer in one forward pass, with the graph in between.

Unlike an ``Observation`` it keeps gradients: contexts pass fusion unchanged, so what the gradient of the states that
enter has above that of the states that leave came through fusion (``gradients.py``).

Shapes: B images, M contexts, N subjects, Q = M + N (contexts first), C channels.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from dsct_detrex.dsct import Aggregation, RelationalAggregation, SubjectContextDecoder


@dataclass(frozen=True)
class Fused:
    """One call of one layer's fusion.

    Attributes:
        layer: number of the decoder layer, from 1.
        module: that fused.
        entered: (B, Q, C) states before.
        left: what it returned; ``left.queries`` are the states behind.
    """

    layer: int
    module: RelationalAggregation
    entered: Tensor
    left: Aggregation

    @property
    def num_contexts(self) -> int:
        """M."""
        return self.left.places.num_contexts


@contextmanager
def fusions_seen(decoder: SubjectContextDecoder) -> Iterator[list[Fused]]:
    """Within the block, every fusion of this decoder is written down in its order; the hooks go with the block.

    Where gradients are on and nothing before the first fusion has one, its states become the leaf of the graph, so that
    a frozen model need not remember its backbone.
    """
    seen: list[Fused] = []
    with ExitStack() as hooks:
        for number, layer in enumerate(decoder.layers, start=1):
            fusion: Any = layer.aggregation
            if isinstance(fusion, nn.Module):
                hooks.enter_context(fusion.register_forward_pre_hook(_with_gradient))
                hooks.enter_context(fusion.register_forward_hook(partial(_write_down, seen, number)))
        yield seen


def _with_gradient(_: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...] | None:
    if not torch.is_grad_enabled() or args[0].requires_grad:
        return None
    return (args[0].detach().requires_grad_(), *args[1:])


def _write_down(seen: list[Fused], number: int, module: Any, args: tuple[Any, ...], left: Aggregation) -> None:
    seen.append(Fused(number, module, args[0], left))
