"""A call with its backward pass, as training makes them: gradients of inputs and weights are written anew each time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from dsct_detrex.bench.outcomes import tensors_of


def forward_backward(
    call: Callable[..., Any], inputs: Sequence[Tensor], weights: Iterable[Tensor] = ()
) -> Callable[[], list[Tensor]]:
    """What runs the call forward and backward.

    Args:
        call: takes the inputs; every floating-point tensor that it returns gets a gradient of ones.
        inputs: gradients of these are made, too.
        weights: that the call also reads; only those that require gradients get some.

    Returns:
        A function that returns outputs and the gradients of the inputs.
    """
    leaves = [tensor.detach().clone().requires_grad_() for tensor in inputs]
    learning = [weight for weight in weights if weight.requires_grad]

    def step() -> list[Tensor]:
        for leaf in (*leaves, *learning):
            leaf.grad = None
        outputs = [tensor for tensor in differentiable(call(*leaves)) if tensor.requires_grad]
        torch.autograd.backward(outputs, [torch.ones_like(output) for output in outputs])
        return [*outputs, *(leaf.grad for leaf in leaves if leaf.grad is not None)]

    return step


def differentiable(outcome: Any) -> list[Tensor]:
    """The floating-point tensors of a result, with their graphs."""
    return list(tensors_of(outcome, detach=False))
