"""Fusion as one differentiable step, its gradient by hand: three matrix products each way, no sum of partial gradients.

Subjects and contexts are rows of one tensor, which enters the dot products twice and the weighted sum once. Three
gradients of its size would be made and added; here they are one product, written onto the gradient of the output.

Shapes: B images, N subjects, Q queries (contexts first), L lists, C channels.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from dsct_detrex.dsct.choices import Places
from dsct_detrex.dsct.relational_aggregation import Aggregation
from dsct_detrex.rewrites.rewrite import Rewrite


class RelationalAggregation(Rewrite):
    """Of ``dsct.RelationalAggregation`` where softmaxes run over dot products of the states, scaled or not, and what
    they gather is added as it is: no heads, no projection, no control. Weights get no gradient, as there.

    Under autocast it computes in the precision of the states: these products are small, and choices made from rounded
    ones differ from run to run.
    """

    name = "relational_aggregation"
    trains = True

    @classmethod
    def fits(cls, module: nn.Module) -> bool:
        parts = all(callable(getattr(module, name, None)) for name in ("choices", "lists", "scale"))
        plain = all(getattr(module, name, True) is None for name in ("heads", "out_proj"))
        semantic = getattr(module, "reweighting", None) == "semantic"
        return parts and plain and semantic and getattr(module, "gather", None) == "contexts"

    def fast(self, prepared: None, queries: Tensor, places: Places, subject_mask: Tensor | None = None) -> Aggregation:
        m, scale = places.num_contexts, self.module.scale(queries.shape[-1])
        with _unrounded(queries.device.type):
            with torch.no_grad():
                products = torch.bmm(queries[:, m:], queries.transpose(1, 2))
                products = products if scale == 1 else products.mul_(scale)
                nearest, relevant = self.module.choices(products, places)
                lists = self.module.lists(products, nearest, relevant, subject_mask)
            fused, weights = _TakeIn.apply(queries, products, lists, m, scale)
        return Aggregation(fused, weights[..., :m], nearest, relevant, places)


class _TakeIn(torch.autograd.Function):
    """Every subject plus what the softmaxes of its lists gather; contexts as they are."""

    @staticmethod
    def forward(
        ctx: Any, queries: Tensor, products: Tensor, lists: Tensor, m: int, scale: float
    ) -> tuple[Tensor, Tensor]:
        """``products``, times ``scale``, and ``lists`` are computed from ``queries``: no gradient is asked of them."""
        softmaxes = (lists + products).softmax(-1)
        weights = softmaxes.sum(0)
        used = weights.to(queries.dtype)
        fused = queries.clone()
        fused[:, m:].baddbmm_(used, queries)
        ctx.save_for_backward(queries, softmaxes, weights)
        ctx.m, ctx.scale = m, scale
        ctx.mark_non_differentiable(weights)
        return fused, weights

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        queries, softmaxes, weights = ctx.saved_tensors
        subjects, grad_subjects = queries[:, ctx.m :], grad[:, ctx.m :]
        with _unrounded(queries.device.type):
            grad_weights = torch.bmm(grad_subjects, queries.transpose(1, 2)).to(weights.dtype)
            means = (softmaxes * grad_weights).sum(-1, keepdim=True)  # (L, B, N, 1)
            grad_products = weights * grad_weights - (softmaxes * means).sum(0)
            grad_products = (grad_products if ctx.scale == 1 else grad_products.mul_(ctx.scale)).to(queries.dtype)
            of_queries = torch.cat([weights.to(queries.dtype), grad_products], 1).transpose(1, 2)  # (B, Q, 2N)
            grad_queries = torch.baddbmm(grad, of_queries, torch.cat([grad_subjects, subjects], 1))
            grad_queries[:, ctx.m :].baddbmm_(grad_products, queries)
        return grad_queries, None, None, None, None


def _unrounded(device: str) -> AbstractContextManager[Any]:
    """No autocast within the block."""
    rounds = torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device)
    return torch.autocast(device, enabled=False) if rounds else nullcontext()


REWRITES = (RelationalAggregation,)
