"""What a tracer cannot follow in the hosts, said otherwise while it traces: same results for pictures of one size.

A tracer writes down which operations run; a branch or a loop that depends on a size is written down as it went once.
DSCT leaves a host by an exception when its decoder is called (``dsct/capture.py``), which a tracer does not survive:
here the host's transformer returns what it would call its decoder with. Fusion writes its lists into parts of a tensor,
which ONNX cannot: here they are put together. And four places of our hosts depend on sizes. Numbers of cells are read
from a tensor: here they stay symbols, remembered beside the tensor. Masks are shrunk to every map: here nothing is
padding. Row-column attention sums along the longer side first: here it sums at once. Two-stage hosts refuse pictures
with too few cells: here ``topk`` does. (DETA's choice of proposals is a file of its own, ``level_shares.py``.)
Everything is as before when the ``with`` block ends.

Shapes: B images, V levels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn

from dsct_detrex.dsct import DSCT, RelationalAggregation
from dsct_detrex.dsct.adapters import anchor_detr, base, dab_deformable_detr, deformable_detr, dino, single_scale
from dsct_detrex.dsct.choices import Choice
from dsct_detrex.errors import UserError
from dsct_detrex.export.level_shares import choose_by_level_shares
from dsct_detrex.hosts.deta_transformer import DETATransformer
from dsct_detrex.hosts.multi_scale_transformer import MultiScaleTransformer
from dsct_detrex.layers import levels, row_column_attention
from dsct_detrex.layers.levels import Levels
from dsct_detrex.modalities import memory
from dsct_detrex.ops import pytorch_backend, use_backend
from dsct_detrex.ops.levels import Sizes
from dsct_detrex.rewrites.rewrite import Rewrite


@contextmanager
def traceable(model: DSCT) -> Iterator[None]:
    """Within the block, a model computes by operations that a tracer can follow, with symbols for sizes.

    Args:
        model: it is in evaluation mode within the block. Rewrites step aside.

    Raises:
        UserError: its host is not one of ours.
    """
    transformer = type(getattr(model.host, "transformer", None))
    if not hasattr(transformer, "decoder_inputs"):
        raise UserError(
            f"export: only models on embedded hosts can be exported, whose transformers say what they would call their "
            f"decoder with (decoder_inputs). Got {type(model.host).__module__}.{type(model.host).__name__}."
        )
    symbols = SymbolicLevels()
    places: tuple[tuple[Any, str, Callable[..., Any]], ...] = (
        (transformer, "forward", inputs_of_decoder),
        *((module, "capture_keywords", returned) for module in _CAPTURING),
        (levels, "make_levels", symbols.make),
        (pytorch_backend, "read_levels", symbols.levels),
        (base, "read_sizes", symbols.sizes),
        *((module, "shrink_mask", nothing_padded) for module in (base, single_scale, anchor_detr, memory)),
        (row_column_attention, "_weighted_sum", weighted_sum),
        (MultiScaleTransformer, "choose", choose_best),
        (DETATransformer, "choose", choose_by_level_shares),
        (RelationalAggregation, "lists", lists),
    )
    with ExitStack() as stack:
        stack.enter_context(use_backend("pytorch"))
        stack.enter_context(without_rewrites(model))
        for owner, name, replacement in places:
            stack.enter_context(mock.patch.object(owner, name, replacement))
        stack.callback(model.train, model.training)
        model.eval()
        yield


_CAPTURING = (anchor_detr, dab_deformable_detr, deformable_detr, dino, single_scale)


def inputs_of_decoder(self: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
    """As ``forward`` of a transformer up to the call of its decoder: the keywords of that call."""
    inputs: dict[str, Any] = self.decoder_inputs(*args, **kwargs)
    return inputs


def returned(target: nn.Module, call: Callable[[], Any]) -> dict[str, Any]:
    """As ``capture_keywords`` where ``call`` returns the keywords."""
    return {name: value for name, value in call().items() if value is not None}


class SymbolicLevels:
    """``ops/levels.py`` with sizes that may be symbols: they are kept beside the tensor that is made of them."""

    def __init__(self) -> None:
        self._known: list[tuple[Tensor, Sizes]] = []

    def make(self, sizes: Sequence[tuple[int, int]], device: torch.device) -> tuple[Tensor, Tensor]:
        """As ``make_levels``: (V, 2) and (V,) int64."""
        rows = [torch.stack([_as_tensor(side, device) for side in size]) for size in sizes]
        shapes = torch.stack(rows)
        self._known.append((shapes, tuple(sizes)))
        cells = shapes.prod(1)
        return shapes, cells.cumsum(0) - cells

    def sizes(self, shapes: Tensor) -> Sizes:
        """As ``read_sizes``; of a tensor that ``make`` made."""
        return next(sizes for tensor, sizes in self._known if tensor is shapes)

    def levels(self, shapes: Tensor, starts: Tensor, cells: int) -> tuple[tuple[int, int, int], ...]:
        """As ``read_levels``."""
        sizes = self.sizes(shapes)
        begins = [sum(height * width for height, width in sizes[:level]) for level in range(len(sizes))]
        return tuple((height, width, begin) for (height, width), begin in zip(sizes, begins))


def _as_tensor(side: Any, device: torch.device) -> Tensor:
    """A side as a tensor; ``torch.jit.trace`` gives out sides that are tensors."""
    if isinstance(side, Tensor):
        return side.to(device, torch.int64)
    return torch.scalar_tensor(side, dtype=torch.int64, device=device)


def nothing_padded(mask: Tensor, size: Sequence[int]) -> Tensor:
    """As ``shrink_mask`` where nothing is padding: (B, *size) bool, all False."""
    return mask.new_zeros((mask.shape[0], *size))


def weighted_sum(row: Tensor, col: Tensor, value: Tensor) -> Tensor:
    """As ``row_column_attention._weighted_sum``, the same way whatever the sides."""
    return (col[..., None] * row[..., None, :]).flatten(-2) @ value.flatten(-3, -2)


def lists(
    self: RelationalAggregation, products: Tensor, nearest: Choice, relevant: Choice, subject_mask: Tensor | None
) -> Tensor:
    """As ``RelationalAggregation.lists`` at inference, without writing into parts of a tensor."""
    assert subject_mask is None, "groups are of training"
    dtype = torch.promote_types(products.dtype, torch.float32)
    contexts = torch.zeros_like(nearest.scores, dtype=dtype)
    subjects = torch.zeros_like(products[..., products.shape[-1] - products.shape[1] :], dtype=dtype)
    rows = []
    for softmax in self.softmaxes(nearest, relevant):
        row = contexts - torch.inf if softmax.contexts is None else contexts.masked_fill(~softmax.contexts, -torch.inf)
        row = row if softmax.twice is None else row.masked_fill(softmax.twice, math.log(2))
        if softmax.own:
            others = ~torch.eye(subjects.shape[-1], dtype=torch.bool, device=subjects.device)
            rows.append(torch.cat([row, subjects.masked_fill(others, -torch.inf)], -1))
        else:
            rows.append(torch.cat([row, subjects if softmax.subjects else subjects - torch.inf], -1))
    return torch.stack(rows) if rows else products.new_zeros((0, *products.shape), dtype=dtype)


def choose_best(self: MultiScaleTransformer, logits: Tensor, box_logits: Tensor, levels: Levels) -> Tensor:
    """As ``MultiScaleTransformer.choose``; fewer cells than proposals are an error of ``topk``."""
    return self.proposal_scores(logits).topk(self.two_stage_num_proposals, dim=1).indices


@contextmanager
def without_rewrites(model: nn.Module) -> Iterator[None]:
    """Within the block, every module computes as it is written: a tracer cannot see through rewrites."""
    standing = {
        module: module.forward for module in model.modules() if isinstance(module.__dict__.get("forward"), Rewrite)
    }
    for module, forward in standing.items():
        while isinstance(forward, Rewrite):
            forward = forward.plain
        module.forward = forward
    try:
        yield
    finally:
        for module, forward in standing.items():
            module.forward = forward
