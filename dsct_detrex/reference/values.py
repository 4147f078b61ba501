"""Values and callables as the page writes them."""

from __future__ import annotations

from typing import Any

_PUBLIC = {"torch.optim.adamw": "torch.optim", "torch.nn.modules.activation": "torch.nn"}
_PUBLIC["torch.nn.modules.normalization"] = "torch.nn"


def code(value: Any) -> str:
    """A value as an override writes it, as Markdown; of a block what it calls."""
    if isinstance(value, dict) and "_target_" in value:
        target = value["_target_"]
        return f"`{target.rpartition('.')[2] if isinstance(target, str) else target.__qualname__}`"
    return f"`{_written(value)}`"


def dotted(target: Any) -> str:
    """``torch.optim.AdamW``; empty for None."""
    if target is None:
        return ""
    return f"{_PUBLIC.get(target.__module__, target.__module__)}.{target.__qualname__}"


def _written(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_written(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_written, value)) + "]"
    return "''" if value == "" else str(value)
