"""What a neck of detrex's wants to know about feature maps, out of plain numbers, so that a saved config holds it."""

from __future__ import annotations

from typing import Any


def feature_shapes(**channels: int) -> dict[str, Any]:
    """detectron2's ``ShapeSpec`` for each feature map, from its number of channels: ``feature_shapes(res3=512)``."""
    from detectron2.layers import ShapeSpec

    return {name: ShapeSpec(channels=number) for name, number in channels.items()}
