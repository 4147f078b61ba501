"""Tied tensors of a state dict: several names, one storage (shared heads, decoder copies of host heads)."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from torch import Tensor


def tied_names(state_dict: Mapping[str, Tensor]) -> dict[str, str]:
    """Names whose tensor an earlier name already holds.

    Two tensors are tied when they are the same view of the same memory. Tensors without memory (empty, or on the meta
    device) are never tied.

    Returns:
        later name -> first name.
    """
    first: dict[Hashable, str] = {}
    tied: dict[str, str] = {}
    for name, tensor in state_dict.items():
        if tensor.data_ptr() == 0:
            continue
        view = (tensor.device, tensor.data_ptr(), tensor.shape, tensor.stride(), tensor.dtype)
        owner = first.setdefault(view, name)
        if owner != name:
            tied[name] = owner
    return tied
