"""Where the feature maps lie inside the flattened values: as tensors on the device, and as integers here.

Reading integers from a tensor on a GPU waits until the GPU has done everything before. So such a tensor is read once,
and its integers are remembered as long as it lives and nobody writes into it; what is made here is never read.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

Sizes = tuple[tuple[int, int], ...]

_MOST_SHARED = 256
_shared: dict[tuple[Sizes, torch.device], tuple[Tensor, Tensor]] = {}
_remembered: dict[int, tuple[weakref.ref[Tensor], int, Any]] = {}
"""By the identity of a tensor: the tensor, the number of writes into it, and its elements."""


def make_levels(sizes: Sequence[tuple[int, int]], device: torch.device) -> tuple[Tensor, Tensor]:
    """``spatial_shapes`` and ``level_start_index`` of levels that lie side by side; a GPU is not waited for.

    The two may be shared with others who asked for the same, so nobody may write into them.

    Args:
        sizes: height and width of each of L levels, in cells.
        device: where they are needed.

    Returns:
        (L, 2) and (L,) int64.
    """
    key = tuple((int(height), int(width)) for height, width in sizes), device
    if key not in _shared:
        made = _made(*key)
        if any(type(tensor) is not Tensor for tensor in made):  # of a tracer, which must not outlive its tracing
            return made
        if len(_shared) >= _MOST_SHARED:
            _shared.clear()
        _shared[key] = made
    return _shared[key]


def _made(sizes: Sizes, device: torch.device) -> tuple[Tensor, Tensor]:
    starts = [sum(height * width for height, width in sizes[:level]) for level in range(len(sizes))]
    rows = [list(size) for size in sizes]
    with torch.inference_mode(False):  # what is made in inference mode could not be used in training later
        shapes_tensor, starts_tensor = _on_device(rows, device).view(-1, 2), _on_device(starts, device)
    _remember(shapes_tensor, rows)
    _remember(starts_tensor, starts)
    return shapes_tensor, starts_tensor


def _on_device(numbers: list[Any], device: torch.device) -> Tensor:
    tensor = torch.tensor(numbers, dtype=torch.int64, device="cpu")
    if device.type == "cuda":  # only from pinned memory a copy does not wait
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def read_sizes(shapes: Tensor) -> Sizes:
    """Height and width of every level, from (L, 2) int64; waits for a GPU once in a tensor's life."""
    return tuple((height, width) for height, width in _elements(shapes))


def read_levels(shapes: Tensor, starts: Tensor, cells: int) -> tuple[tuple[int, int, int], ...]:
    """Height, width and first position of every level; waits for a GPU once in the tensors' lives.

    Args:
        shapes: (L, 2) int64, height and width of each level in cells.
        starts: (L,) int64, position of each level's first cell.
        cells: number of positions there are.

    Raises:
        ValueError: a level is empty or reaches outside the positions.
    """
    levels = tuple((height, width, start) for (height, width), start in zip(_elements(shapes), _elements(starts)))
    for height, width, start in levels:
        if height < 1 or width < 1 or start < 0 or start + height * width > cells:
            raise ValueError(
                f"multi_scale_deformable_attn: the level of {height} x {width} cells from position {start} on does "
                f"not fit into value with {cells} positions; check spatial_shapes and level_start_index."
            )
    return levels


def _elements(tensor: Tensor) -> Any:
    """``tensor.tolist()``, remembered where reading it would wait; memory of the CPU can change unnoticed."""
    if tensor.device.type == "cpu":
        return tensor.tolist()
    known = _remembered.get(id(tensor))
    if known is None or known[0]() is not tensor or known[1] != _writes(tensor):
        return _remember(tensor, tensor.tolist())
    return known[2]


def _remember(tensor: Tensor, elements: Any) -> Any:
    if tensor.device.type != "cpu":
        identity = id(tensor)
        forget = weakref.ref(tensor, lambda _: _remembered.pop(identity, None))
        _remembered[identity] = forget, _writes(tensor), elements
    return elements


def _writes(tensor: Tensor) -> int:
    return 0 if tensor.is_inference() else tensor._version
