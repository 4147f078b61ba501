"""The people of one image, in detectron2's dialect.

A small equivalent of ``detectron2.structures.{Boxes,Instances}``: enough for a detectron2 user's code to run on our
outputs (``instances.pred_boxes.tensor``, ``instances[keep]``, ``instances.to("cpu")``), with no dependency.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor


class Boxes:
    """Boxes of one image.

    Args:
        tensor: (n, 4) float, ``xyxy`` in pixels. The frame (resized or original image) is that of the owner.

    Raises:
        ValueError: the last dimension is not 4.
    """

    def __init__(self, tensor: Tensor) -> None:
        tensor = torch.as_tensor(tensor, dtype=torch.float32)
        tensor = tensor.reshape(0, 4) if tensor.numel() == 0 else tensor
        if tensor.ndim != 2 or tensor.shape[-1] != 4:
            raise ValueError(f"Boxes(tensor=) expects shape (n, 4). Got {tuple(tensor.shape)}.")
        self.tensor = tensor

    def area(self) -> Tensor:
        """(n,) square pixels."""
        size = (self.tensor[:, 2:] - self.tensor[:, :2]).clamp(min=0)
        return size[:, 0] * size[:, 1]

    def to(self, device: torch.device | str) -> Boxes:
        return Boxes(self.tensor.to(device))

    def __len__(self) -> int:
        return len(self.tensor)

    def __getitem__(self, item: Any) -> Boxes:
        rows = self.tensor[item]
        return Boxes(rows[None] if rows.ndim == 1 else rows)

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self.tensor)

    def __repr__(self) -> str:
        return f"Boxes({self.tensor!r})"


class Instances:
    """Named per-person fields of one image, all of the same length.

    Args:
        image_size: (height, width) in pixels of the frame that the boxes live in.
        fields: values with a length: tensors, ``Boxes``, lists.

    Raises:
        ValueError: a field's length differs from that of the fields already there.
        AttributeError: reading a field that is not there; the message lists those that are.
    """

    def __init__(self, image_size: tuple[int, int], **fields: Any) -> None:
        self._image_size = image_size
        self._fields: dict[str, Any] = {}
        for name, value in fields.items():
            self.set(name, value)

    @property
    def image_size(self) -> tuple[int, int]:
        return self._image_size

    def set(self, name: str, value: Any) -> None:
        if self._fields and len(value) != len(self):
            raise ValueError(f"Instances.set({name!r}) expects length {len(self)}. Got {len(value)}.")
        self._fields[name] = value

    def get(self, name: str) -> Any:
        return self._fields[name]

    def has(self, name: str) -> bool:
        return name in self._fields

    def get_fields(self) -> dict[str, Any]:
        return dict(self._fields)

    def to(self, device: torch.device | str) -> Instances:
        moved = {k: v.to(device) if hasattr(v, "to") else v for k, v in self._fields.items()}
        return Instances(self._image_size, **moved)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            super().__setattr__(name, value)
        else:
            self.set(name, value)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._fields:
            known = ", ".join(self.__dict__.get("_fields", {})) or "none"
            raise AttributeError(f"Instances has no field {name!r}; its fields are: {known}.")
        return self._fields[name]

    def __getitem__(self, item: int | slice | Tensor) -> Instances:
        if isinstance(item, int):
            item = slice(item, item + 1) if item != -1 else slice(item, None)
        if isinstance(item, Tensor) and not all(isinstance(v, Tensor | Boxes) for v in self._fields.values()):
            rows = item.nonzero().flatten().tolist() if item.dtype == torch.bool else item.tolist()
            chosen = {
                k: v[item] if isinstance(v, Tensor | Boxes) else [v[r] for r in rows] for k, v in self._fields.items()
            }
            return Instances(self._image_size, **chosen)
        return Instances(self._image_size, **{k: v[item] for k, v in self._fields.items()})

    def __len__(self) -> int:
        return len(next(iter(self._fields.values()))) if self._fields else 0

    def __repr__(self) -> str:
        height, width = self._image_size
        return f"Instances({len(self)} people, image {height}x{width}, fields: {', '.join(self._fields)})"
