"""The augmentations of the paper (appendix C) with the sizes of the official code (``datasets/emotic.py``).

Training flips with p = 0.5; then, with equal chance, either resizes so that the shorter side is one of 480, 512, ...,
800 and the longer at most 1333, or resizes to 400, 500 or 600, crops 384 to 600 pixels a side, and resizes as before.
The paper's text crops first and resizes once; the code's order is followed, as everywhere where numbers depend on it.
Evaluation resizes to 800 / 1333.

A transform maps a scene to a scene. Any ``torchvision.transforms.v2`` transform is one too, so photometric ones can be
added (``extra``); none are by default. Randomness comes from torch's global generator, which the loader seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypedDict

import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F

from dsct_detrex.errors import UserError

OFFICIAL_SCALES = tuple(range(480, 801, 32))


class Scene(TypedDict):
    """What the transforms work on.

    Keys:
        image: ``tv_tensors.Image``, uint8 (3, H, W), RGB.
        boxes: ``tv_tensors.BoundingBoxes``, float32 (n, 4) ``xyxy`` in pixels of ``image``.
        people: (n,) int64, which person of the record each box belongs to.
    """

    image: Tensor
    boxes: Tensor
    people: Tensor


Transform = Callable[[Scene], Scene]


def make_scene(image: Tensor, boxes: Sequence[Sequence[float]]) -> Scene:
    """A scene of uint8 (3, H, W) pixels and ``xyxy`` pixel boxes."""
    height, width = image.shape[-2:]
    rows = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    return {
        "image": tv_tensors.Image(image),
        "boxes": tv_tensors.BoundingBoxes(rows, format="XYXY", canvas_size=(height, width)),
        "people": torch.arange(len(rows)),
    }


def resized_size(height: int, width: int, shortest: int, longest: int | None) -> tuple[int, int]:
    """(height, width) after making the shorter side ``shortest``, or less where the longer side would pass ``longest``.

    The shorter side is rounded when it is capped, the longer side is cut to an integer: as the official code does. An
    image so thin that nothing would be left of it keeps one pixel.
    """
    low, high = min(height, width), max(height, width)
    if longest is not None and high / low * shortest > longest:
        shortest = round(longest * low / high)
        new_low, new_high = (shortest, int(shortest * high / low)) if shortest else (1, longest)
    else:
        new_low, new_high = shortest, int(shortest * high / low)
    return (new_low, new_high) if height <= width else (new_high, new_low)


class ResizeShortestSide:
    """Resize so that the shorter side is one of ``scales``, drawn at random, and the longer at most ``max_size``.

    Args:
        scales: pixels, one or several.
        max_size: pixels; None for no limit.
    """

    def __init__(self, scales: Sequence[int], max_size: int | None = None) -> None:
        self.scales = _positive(scales, "ResizeShortestSide(scales=)")
        if max_size is not None and max_size < 1:
            raise UserError(
                f"ResizeShortestSide(max_size=) expects a positive number of pixels or null. Got {max_size}."
            )
        self.max_size = max_size

    def __call__(self, scene: Scene) -> Scene:
        height, width = scene["image"].shape[-2:]
        shortest = self.scales[_draw(0, len(self.scales) - 1)]
        return resize(scene, *resized_size(height, width, shortest, self.max_size))


class RandomSizeCrop:
    """Cut out a window whose sides are drawn from [min_size, max_size], each no longer than the image's.

    People are cut with it; those of whom nothing is left are dropped.
    """

    def __init__(self, min_size: int, max_size: int) -> None:
        if not 1 <= min_size <= max_size:
            raise UserError(f"RandomSizeCrop expects 1 <= min_size <= max_size. Got {min_size} and {max_size}.")
        self.min_size = min_size
        self.max_size = max_size

    def __call__(self, scene: Scene) -> Scene:
        height, width = scene["image"].shape[-2:]
        crop_height, crop_width = (
            _draw(min(self.min_size, side), min(self.max_size, side)) for side in (height, width)
        )
        top, left = _draw(0, height - crop_height), _draw(0, width - crop_width)
        return crop(scene, top, left, crop_height, crop_width)


def resize(scene: Scene, height: int, width: int) -> Scene:
    """The scene at another size; bilinear, antialiased."""
    if scene["image"].shape[-2:] == (height, width):
        return scene
    image, boxes = (F.resize(scene[key], [height, width], antialias=True) for key in ("image", "boxes"))
    return {"image": image, "boxes": boxes, "people": scene["people"]}


def crop(scene: Scene, top: int, left: int, height: int, width: int) -> Scene:
    """The window of the scene; boxes are cut to it, and people without area in it are dropped."""
    image, boxes = (F.crop(scene[key], top, left, height, width) for key in ("image", "boxes"))
    boxes = F.clamp_bounding_boxes(boxes)
    seen = (boxes[:, 2:] > boxes[:, :2]).all(dim=1)
    return {"image": image, "boxes": tv_tensors.wrap(boxes[seen], like=boxes), "people": scene["people"][seen]}


def train_transforms(
    scales: Sequence[int] = OFFICIAL_SCALES,
    max_size: int | None = 1333,
    flip: float = 0.5,
    crop_probability: float = 0.5,
    crop_scales: Sequence[int] = (400, 500, 600),
    crop_min: int = 384,
    crop_max: int = 600,
    extra: Sequence[Transform] = (),
) -> Transform:
    """The official training augmentation; smaller numbers make a demo.

    Args:
        scales, max_size: the final resize, pixels.
        flip: probability of mirroring.
        crop_probability: of the branch that resizes to ``crop_scales`` and crops ``crop_min`` to ``crop_max`` first.
        crop_scales: shorter sides before the crop, pixels.
        crop_min, crop_max: sides of the crop, pixels.
        extra: further transforms, applied last.

    Raises:
        UserError: a size or probability outside its range.
    """
    for name, share in (("flip", flip), ("crop_probability", crop_probability)):
        if not 0 <= share <= 1:
            raise UserError(f"train_transforms({name}=) expects a probability in [0, 1]. Got {share}.")
    final = ResizeShortestSide(scales, max_size)
    cropped = v2.Compose([ResizeShortestSide(crop_scales), RandomSizeCrop(crop_min, crop_max), final])
    sized = v2.RandomChoice([cropped, final], p=[crop_probability, 1 - crop_probability])
    composed: Transform = v2.Compose([v2.RandomHorizontalFlip(flip), sized, *extra])
    return composed


def eval_transforms(size: int = 800, max_size: int | None = 1333) -> Transform:
    """The official evaluation resize.

    Args:
        size: the shorter side, pixels.
        max_size: the longer side at most, pixels; None for no limit.
    """
    return ResizeShortestSide((size,), max_size)


def _draw(low: int, high: int) -> int:
    """An integer from [low, high]."""
    return int(torch.randint(low, high + 1, ()))


def _positive(sizes: Sequence[int], owner: str) -> tuple[int, ...]:
    if not sizes or any(size < 1 for size in sizes):
        raise UserError(f"{owner} expects one or more positive numbers of pixels. Got {list(sizes)}.")
    return tuple(int(size) for size in sizes)
