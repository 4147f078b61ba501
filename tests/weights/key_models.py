"""Models made of nothing but the tensors of a key list (``tests/golden/keys``), sixteen times narrower."""

from typing import Any

import golden_io
import torch
from torch import Tensor, nn

Keys = dict[str, dict[str, Any]]


def read_keys(name: str) -> Keys:
    keys: Keys = golden_io.load_json(f"keys/{name}")["keys"]
    return keys


def small(shape: list[int]) -> tuple[int, ...]:
    return tuple(size if size <= 100 else size // 16 for size in shape)


def numbered(keys: Keys) -> dict[str, Tensor]:
    """A small state dict whose every tensor, tied ones excepted, has a value of its own."""
    weights: dict[str, Tensor] = {}
    for index, (name, entry) in enumerate(keys.items()):
        owner = entry.get("alias_of")
        weights[name] = weights[owner] if owner else torch.full(small(entry["shape"]), float(index + 1))
    return weights


class KeyModel(nn.Module):
    """Parameters under the names of a key list, all zero; tied names share one parameter."""

    def __init__(self, shapes: dict[str, tuple[int, ...]], tied: dict[str, str] | None = None) -> None:
        super().__init__()
        for name, shape in shapes.items():
            *path, leaf = name.split(".")
            home: nn.Module = self
            for part in path:
                if part not in dict(home.named_children()):
                    home.add_module(part, nn.Module())
                home = home.get_submodule(part)
            owner = (tied or {}).get(name)
            parameter = self.get_parameter(owner) if owner else nn.Parameter(torch.zeros(shape))
            home.register_parameter(leaf, parameter)

    @classmethod
    def of(cls, keys: Keys, prefix: str = "", **others: tuple[int, ...]) -> "KeyModel":
        """A key list under a prefix, and other tensors beside it (``__`` in their names stands for a dot)."""
        shapes = {prefix + name: small(entry["shape"]) for name, entry in keys.items()}
        shapes.update({name.replace("__", "."): shape for name, shape in others.items()})
        tied = {prefix + name: prefix + entry["alias_of"] for name, entry in keys.items() if "alias_of" in entry}
        return cls(shapes, tied)
