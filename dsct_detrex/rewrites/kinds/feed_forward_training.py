"""The feed-forward of a transformer layer in training: both products, ReLU and dropout as one differentiable function.

Computed in pieces that stay in the cache. For the way back it keeps the hidden states once, as they are behind ReLU and
dropout: where they are zero, so is the gradient. torch's own chain keeps them twice and a mask, and passes over each of
these tensors on its own. Scaling what dropout keeps costs nothing: it is a factor of the second product.

Shapes: T tokens, C channels, F hidden channels, D channels of the result.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from dsct_detrex.ops.dropout import can_drop, draw_seed, drop
from dsct_detrex.rewrites.kinds.feed_forward import pieces
from dsct_detrex.rewrites.rewrite import Rewrite

_HIDDEN = [nn.Linear, nn.ReLU, nn.Dropout]


class _FeedForward(torch.autograd.Function):
    """(T, C) -> (T, D); once differentiable."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor, hidden_drop: float, drop_out: float
    ) -> Tensor:
        ctx.hidden_scale, ctx.outer = 1 / (1 - hidden_drop), (drop_out, draw_seed() if drop_out else 0)
        hidden = x.new_empty(len(x), len(w1))
        out = x.new_empty(len(x), len(w2))
        seed = draw_seed() if hidden_drop else 0
        for start, end in pieces(len(x)):
            piece = slice(start, end)
            states = torch.addmm(b1, x[piece], w1.t(), out=hidden[piece])
            if hidden_drop:
                drop(states, hidden_drop, seed, 1.0, rectify=True, offset=start * len(w1), out=states)
            else:
                states.relu_()
            torch.addmm(b2, states, w2.t(), alpha=ctx.hidden_scale, out=out[piece])
        ctx.save_for_backward(x, hidden, w1, w2)
        return drop(out, *ctx.outer, out=out) if drop_out else out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, hidden, w1, w2 = ctx.saved_tensors
        gradient = drop(gradient, *ctx.outer) if ctx.outer[0] else gradient.contiguous()
        for_x, for_w1, for_b1, for_w2, for_b2, *_ = ctx.needs_input_grad
        grad_x = x.new_empty(x.shape) if for_x else None
        grad_w1, grad_b1, grad_w2 = torch.zeros_like(w1), w1.new_zeros(len(w1)), torch.zeros_like(w2)
        scaled = w2 * ctx.hidden_scale
        for start, end in pieces(len(x)):
            piece = slice(start, end)
            states, outer = hidden[piece], gradient[piece]
            if for_w2:
                grad_w2.addmm_(outer.t(), states, alpha=ctx.hidden_scale)
            inner = torch.ops.aten.threshold_backward(outer @ scaled, states, 0)  # zero where the states are
            if for_w1:
                grad_w1.addmm_(inner.t(), x[piece])
            if for_b1:
                grad_b1 += inner.sum(0)
            if grad_x is not None:
                torch.mm(inner, w1, out=grad_x[piece])
        grad_b2 = gradient.sum(0) if for_b2 else None
        return (
            grad_x,
            grad_w1 if for_w1 else None,
            grad_b1 if for_b1 else None,
            grad_w2 if for_w2 else None,
            grad_b2,
            None,
            None,
        )


class FeedForwardTraining(Rewrite):
    """``identity + drop(Linear(drop(relu(Linear(x)))))``, as of ``layers.FFN`` and detrex's."""

    name = "feed_forward_training"
    trains = True

    @classmethod
    def fits(cls, module: nn.Module) -> bool:
        return isinstance(getattr(module, "add_identity", None), bool) and _parts(module) is not None

    def suits(self, x: Tensor, identity: Tensor | None = None) -> bool:
        parts = _parts(self.module)
        if parts is None or not torch.is_grad_enabled() or x.numel() == 0 or x.device.type != "cpu":
            return False
        highest = max(parts.inner.p, parts.outer.p) if self.module.training else 0
        return highest == 0 or (highest < 1 and can_drop(x))

    def fast(self, prepared: None, x: Tensor, identity: Tensor | None = None) -> Tensor:
        parts = _parts(self.module)
        assert parts is not None, "a module that fits"
        dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype
        tensors = (x.flatten(0, -2), *parts.first.parameters(), *parts.second.parameters())
        probabilities = (dropout.p if dropout.training else 0.0 for dropout in (parts.inner, parts.outer))
        with torch.autocast("cpu", enabled=False) if dtype != x.dtype else nullcontext():
            out: Tensor = _FeedForward.apply(*(t.to(dtype) for t in tensors), *probabilities)
        out = out.view(*x.shape[:-1], -1)
        if not self.module.add_identity:
            return out
        return (x if identity is None else identity) + out


class _Parts(NamedTuple):
    """Of a feed-forward with one hidden layer, ReLU and biases."""

    first: nn.Linear
    inner: nn.Dropout
    second: nn.Linear
    outer: nn.Dropout


def _parts(module: nn.Module) -> _Parts | None:
    """None for other modules."""
    layers: Any = getattr(module, "layers", None)
    if _kinds(layers) != [nn.Sequential, nn.Linear, nn.Dropout] or _kinds(layers[0]) != _HIDDEN:
        return None
    (first, _, inner), second, outer = layers
    return None if first.bias is None or second.bias is None else _Parts(first, inner, second, outer)


def _kinds(layers: Any) -> list[type]:
    return [type(part) for part in layers] if isinstance(layers, nn.Sequential) else []


REWRITES = (FeedForwardTraining,)
