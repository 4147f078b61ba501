"""Tied tensors of a state dict: several names, one storage (shared heads, decoder copies of host heads)."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from torch import Tensor


def tied_names(state_dict: Mapping[str, Tensor]) -> dict[str, str]:
    """Names whose tensor an earlier name already holds.

    Two tensors are tied when they are the same view of the same memory. Tensors without memory (empty, or on the meta
    device) are tied when they are one object, as parameters of ``state_dict(keep_vars=True)`` are.

    Returns:
        later name -> first name.
    """
    first: dict[Hashable, str] = {}
    tied: dict[str, str] = {}
    for name, tensor in state_dict.items():
        memory = None if tensor.is_meta else tensor.data_ptr()
        view = (tensor.device, memory, tensor.shape, tensor.stride(), tensor.dtype) if memory else id(tensor)
        owner = first.setdefault(view, name)
        if owner != name:
            tied[name] = owner
    return tied
