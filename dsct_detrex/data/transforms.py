"""The augmentations of the paper (appendix C) with the sizes of the official code (``datasets/emotic.py``).

Training flips with p = 0.5; then, with equal chance, either resizes so that the shorter side is one of 480, 512, ...,
800 and the longer at most 1333, or resizes to 400, 500 or 600, crops 384 to 600 pixels a side, and resizes as before.
The paper's text crops first and resizes once; the code's order is followed, as everywhere where numbers depend on it.
Evaluation resizes to 800 / 1333.

A transform maps a scene to a scene. Any ``torchvision.transforms.v2`` transform is one too, so photometric ones can be
added (``extra``); none are by default. Randomness comes from torch's global generator, which the loader seeds.

Pixels may be fewer than their frame has (a JPEG decoded at half its size): boxes, and every size that is worked out,
belong to the frame. A transform that begins with a resize says to which size, with ``first_size``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypedDict

import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms.v2 import functional as F

from dsct_detrex.errors import UserError

OFFICIAL_SCALES = tuple(range(480, 801, 32))


class Scene(TypedDict):
    """What the transforms work on.

    Keys:
        image: ``tv_tensors.Image``, uint8 (3, H, W), RGB.
        boxes: ``tv_tensors.BoundingBoxes``, float32 (n, 4) ``xyxy`` in pixels of their frame, ``canvas_size`` (height,
            width): that of ``image`` or, up to the first resize, of the picture that it was reduced from.
        people: (n,) int64, which person of the record each box belongs to.
    """

    image: Tensor
    boxes: Tensor
    people: Tensor


Transform = Callable[[Scene], Scene]


def make_scene(image: Tensor, boxes: Sequence[Sequence[float]], frame: tuple[int, int] | None = None) -> Scene:
    """A scene of uint8 (3, H, W) pixels and ``xyxy`` pixel boxes.

    Args:
        frame: (height, width) that the boxes are given in; None is that of ``image``.
    """
    height, width = image.shape[-2:]
    rows = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    return {
        "image": tv_tensors.Image(image),
        "boxes": tv_tensors.BoundingBoxes(rows, format="XYXY", canvas_size=frame or (height, width)),
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
        return resize(scene, *self.first_size(*_frame(scene)))

    def first_size(self, height: int, width: int) -> tuple[int, int]:
        """The (height, width) that a picture of this frame is resized to; draws as a call does."""
        shortest = self.scales[_draw(0, len(self.scales) - 1)]
        return resized_size(height, width, shortest, self.max_size)


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


class TrainTransforms:
    """Mirror, then resize, or resize, crop and resize; what ``train_transforms`` makes.

    Args:
        flip: probability of mirroring.
        final: the resize that every picture ends with.
        crop_probability: of ``smaller`` and ``crop`` before it.
        extra: further transforms, applied last.
    """

    def __init__(
        self,
        flip: float,
        final: ResizeShortestSide,
        crop_probability: float,
        smaller: ResizeShortestSide,
        crop: RandomSizeCrop,
        extra: Sequence[Transform] = (),
    ) -> None:
        self.flip, self.final, self.smaller, self.crop, self.extra = flip, final, smaller, crop, tuple(extra)
        self._branches = torch.tensor([crop_probability, 1 - crop_probability], dtype=torch.float32)

    def __call__(self, scene: Scene) -> Scene:
        mirrors, crops = self._choices()
        if mirrors:
            scene = mirrored(scene)
        if crops:
            scene = self.crop(self.smaller(scene))
        scene = self.final(scene)
        for transform in self.extra:
            scene = transform(scene)
        return scene

    def first_size(self, height: int, width: int) -> tuple[int, int]:
        """The (height, width) of the first resize that a call would make with the same state of torch's generator."""
        _, crops = self._choices()
        return (self.smaller if crops else self.final).first_size(height, width)

    def _choices(self) -> tuple[bool, bool]:
        """Whether to mirror, whether to crop."""
        return bool(torch.rand(1) < self.flip), int(torch.multinomial(self._branches, 1)) == 0


def mirrored(scene: Scene) -> Scene:
    """The scene with left and right exchanged."""
    image, boxes = (F.horizontal_flip(scene[key]) for key in ("image", "boxes"))
    return {"image": image, "boxes": boxes, "people": scene["people"]}


def resize(scene: Scene, height: int, width: int) -> Scene:
    """The scene at another size, which then is its frame; bilinear, antialiased."""
    if scene["image"].shape[-2:] == _frame(scene) == (height, width):
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
) -> TrainTransforms:
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
    final, smaller = ResizeShortestSide(scales, max_size), ResizeShortestSide(crop_scales)
    return TrainTransforms(flip, final, crop_probability, smaller, RandomSizeCrop(crop_min, crop_max), extra)


def eval_transforms(size: int = 800, max_size: int | None = 1333) -> ResizeShortestSide:
    """The official evaluation resize.

    Args:
        size: the shorter side, pixels.
        max_size: the longer side at most, pixels; None for no limit.
    """
    return ResizeShortestSide((size,), max_size)


def _frame(scene: Scene) -> tuple[int, int]:
    """(height, width) that the boxes are in."""
    height, width = scene["boxes"].canvas_size  # type: ignore[attr-defined]
    return height, width


def _draw(low: int, high: int) -> int:
    """An integer from [low, high]."""
    return int(torch.randint(low, high + 1, ()))


def _positive(sizes: Sequence[int], owner: str) -> tuple[int, ...]:
    if not sizes or any(size < 1 for size in sizes):
        raise UserError(f"{owner} expects one or more positive numbers of pixels. Got {list(sizes)}.")
    return tuple(int(size) for size in sizes)
