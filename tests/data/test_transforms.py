"""Sizes and boxes of every augmentation against the official code's numbers, and what must hold for all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F

from dsct_detrex.data import eval_transforms, train_transforms, transforms
from dsct_detrex.data.transforms import (
    OFFICIAL_SCALES,
    RandomSizeCrop,
    ResizeShortestSide,
    Scene,
    crop,
    make_scene,
    resize,
    resized_size,
)
from dsct_detrex.errors import UserError


def blank(width: int, height: int, boxes: list[list[float]]) -> Scene:
    return make_scene(torch.zeros(3, height, width, dtype=torch.uint8), boxes)


def test_resize_sizes_and_boxes(golden_json: Callable[[str], Any]) -> None:
    cases = golden_json("dsct/transforms.json")["resize"]["cases"]
    assert len(cases) > 40
    for case in cases:
        size = resized_size(case["height"], case["width"], case["size"], case["max_size"])
        assert size == (case["new_height"], case["new_width"]), case
        scene = make_scene(torch.zeros(1, case["height"], case["width"], dtype=torch.uint8), [[10, 20, 30, 35]])
        scene = ResizeShortestSide((case["size"],), case["max_size"])(scene)
        assert tuple(scene["image"].shape[-2:]) == size
        torch.testing.assert_close(
            scene["boxes"].as_subclass(torch.Tensor), torch.tensor([case["box_after"]]), rtol=1e-6, atol=1e-5
        )


def test_flip(golden_json: Callable[[str], Any]) -> None:
    golden = golden_json("dsct/transforms.json")["hflip"]
    scene = blank(golden["image_width"], 80, golden["boxes_before"])
    scene["image"][:, :, 0] = 9
    flipped = v2.RandomHorizontalFlip(1.0)(scene)
    assert flipped["boxes"].tolist() == golden["boxes_after"]
    assert flipped["people"].tolist() == [0, 1, 2]
    assert flipped["image"][:, :, -1].eq(9).all()
    assert flipped["image"][:, :, 0].eq(0).all()


def test_crop_cuts_and_drops_people(golden_json: Callable[[str], Any]) -> None:
    golden = golden_json("dsct/transforms.json")["crop"]
    width, height = golden["image_width_height"]
    for case in golden["cases"]:
        top, left, crop_height, crop_width = case["top_left_height_width"]
        cropped = crop(blank(width, height, golden["boxes_before"]), top, left, crop_height, crop_width)
        assert cropped["boxes"].tolist() == case["boxes"]
        assert cropped["people"].tolist() == case["labels"]
        assert tuple(cropped["image"].shape) == (3, crop_height, crop_width)
        area = (cropped["boxes"][:, 2:] - cropped["boxes"][:, :2]).prod(1)
        assert area.tolist() == case["area"]


def test_crop_takes_the_pixels_of_its_window() -> None:
    pixels = torch.arange(20, dtype=torch.uint8).reshape(1, 4, 5).repeat(3, 1, 1)
    cropped = crop(make_scene(pixels, []), top=1, left=2, height=2, width=3)
    assert cropped["image"][0].tolist() == [[7, 8, 9], [12, 13, 14]]
    assert cropped["boxes"].shape == (0, 4)


def test_official_sizes_are_the_defaults(golden_json: Callable[[str], Any]) -> None:
    assert golden_json("dsct/transforms.json")["recipe"]["train"].startswith("hflip p=0.5; then with p=0.5 resize")
    assert OFFICIAL_SCALES == (480, 512, 544, 576, 608, 640, 672, 704, 736, 768, 800)
    scene = eval_transforms()(blank(1000, 300, []))
    assert tuple(scene["image"].shape[-2:]) == (400, 1333)
    sizes = {min(train_transforms()(blank(64, 48, []))["image"].shape[-2:]) for _ in range(150)}
    assert sizes == set(OFFICIAL_SCALES)


def test_choices_are_torchvisions() -> None:
    """Draw for draw what a composition of torchvision's own transforms makes of the same seed."""
    final = ResizeShortestSide((40, 50, 60), 90)
    crops = v2.Compose([ResizeShortestSide((45, 55)), RandomSizeCrop(30, 50), final])
    theirs = v2.Compose([v2.RandomHorizontalFlip(0.4), v2.RandomChoice([crops, final], p=[0.3, 0.7])])
    ours = train_transforms((40, 50, 60), 90, 0.4, 0.3, (45, 55), 30, 50)
    pixels = torch.randint(0, 255, (3, 48, 77), dtype=torch.uint8)
    for seed in range(60):
        scenes = []
        for transform in (theirs, ours):
            torch.manual_seed(seed)
            scenes.append(transform(make_scene(pixels, [[3, 4, 30, 40], [50, 1, 70, 20]])))
        expected, found = scenes
        assert torch.equal(expected["image"], found["image"])
        assert torch.equal(expected["boxes"], found["boxes"])
        assert torch.equal(expected["people"], found["people"])


@pytest.mark.parametrize("crop_probability", [0.0, 0.5, 1.0])
def test_the_first_size_is_known_before(crop_probability: float, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[int, int]] = []
    monkeypatch.setattr(transforms, "resize", lambda scene, *size: (made.append(size), resize(scene, *size))[1])
    ours = train_transforms((40, 50, 60), 90, crop_probability=crop_probability, crop_scales=(45, 55), crop_min=20)
    for seed in range(30):
        torch.manual_seed(seed)
        said = ours.first_size(48, 77)
        torch.manual_seed(seed)
        made.clear()
        ours(blank(77, 48, []))
        assert made[0] == said
        assert len(made) == 1 if crop_probability == 0 else 1 <= len(made) <= 2


def test_a_reduced_picture_is_resized_in_its_frame() -> None:
    """Sizes and boxes follow the frame, and where the pixels have the size already the frame becomes theirs."""
    for height, width in ((51, 101), (25, 50)):
        scene = make_scene(torch.zeros(3, height, width, dtype=torch.uint8), [[0, 10, 101, 40]], (101, 201))
        found = ResizeShortestSide((25,), None)(scene)
        assert tuple(found["image"].shape[-2:]) == (25, 49)
        assert found["boxes"].canvas_size == (25, 49)  # type: ignore[attr-defined]
    same = resize(make_scene(torch.zeros(3, 25, 49, dtype=torch.uint8), [[0, 0, 201, 101]], (101, 201)), 25, 49)
    assert same["boxes"].tolist() == [[0, 0, 49, 25]]


def test_both_branches_are_taken_equally_often() -> None:
    transform = train_transforms(scales=(40,), max_size=80, flip=0.0, crop_scales=(50,), crop_min=30, crop_max=30)
    sizes = [tuple(transform(blank(100, 50, []))["image"].shape[-2:]) for _ in range(300)]
    assert set(sizes) == {(40, 80), (40, 40)}
    assert 110 < sizes.count((40, 40)) < 190


def test_crop_sizes_stay_in_their_range_and_in_the_image() -> None:
    shapes = {tuple(RandomSizeCrop(20, 30)(blank(25, 60, []))["image"].shape[-2:]) for _ in range(300)}
    heights, widths = ({shape[side] for shape in shapes} for side in (0, 1))
    assert heights == set(range(20, 31))
    assert widths == set(range(20, 26))
    assert tuple(RandomSizeCrop(384, 600)(blank(25, 60, []))["image"].shape[-2:]) == (60, 25)


def test_crop_windows_reach_every_edge() -> None:
    pixels = torch.arange(12, dtype=torch.uint8).reshape(1, 1, 12).repeat(3, 6, 1)
    lefts = {int(RandomSizeCrop(4, 4)(make_scene(pixels, []))["image"][0, 0, 0]) for _ in range(200)}
    assert lefts == set(range(9))


def test_boxes_stay_with_their_pixels() -> None:
    """A coloured rectangle is its own box, whatever the augmentation."""
    seen = 0
    for _ in range(60):
        pixels = torch.zeros(3, 60, 80, dtype=torch.uint8)
        pixels[:, 20:40, 30:50] = 255
        transform = train_transforms(scales=(64, 96), max_size=200, crop_scales=(60, 80), crop_min=40, crop_max=60)
        scene = transform(make_scene(pixels, [[30, 20, 50, 40], [0, 0, 5, 5]]))
        rows, columns = (scene["image"][0] > 127).nonzero(as_tuple=True)
        if 0 in scene["people"].tolist():
            x0, y0, x1, y1 = scene["boxes"][scene["people"].tolist().index(0)].tolist()
            found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            np.testing.assert_allclose([float(side) for side in found], [x0, y0, x1, y1], atol=1.01)
            seen += 1
        height, width = scene["image"].shape[-2:]
        assert (scene["boxes"] >= 0).all()
        assert (scene["boxes"] <= torch.tensor([width, height, width, height]) + 1e-3).all()
    assert seen > 30


def test_resized_pixels_are_pillows() -> None:
    """The official code resizes with Pillow; the tensor resize differs by rounding only."""
    rng = np.random.default_rng(0)
    smooth = Image.fromarray(rng.integers(0, 255, (12, 16, 3), dtype=np.uint8)).resize(
        (160, 120), Image.Resampling.BICUBIC
    )
    for height, width in ((75, 100), (200, 267)):
        expected = F.pil_to_tensor(smooth.resize((width, height), Image.Resampling.BILINEAR))
        found = resize(make_scene(F.pil_to_tensor(smooth), []), height, width)["image"]
        assert (found.int() - expected.int()).abs().max() <= 1


def test_extra_transforms_come_last() -> None:
    transform = train_transforms(scales=(16,), crop_probability=0.0, extra=[v2.ColorJitter(brightness=(0.0, 0.0))])
    scene = transform(make_scene(torch.full((3, 8, 8), 200, dtype=torch.uint8), [[1, 1, 4, 4]]))
    assert scene["image"].eq(0).all()
    assert tuple(scene["image"].shape) == (3, 16, 16)


@pytest.mark.parametrize("size", [(1, 5000), (5000, 1), (1, 1)])
def test_extreme_images_keep_a_pixel(size: tuple[int, int]) -> None:
    scene = eval_transforms(80, 133)(blank(*size, [[0, 0, 1, 1]]))
    assert min(scene["image"].shape[-2:]) >= 1
    assert max(scene["image"].shape[-2:]) <= 133


def test_arguments_are_checked() -> None:
    with pytest.raises(UserError, match=r"ResizeShortestSide\(scales=\) expects .* Got \[0\]"):
        eval_transforms(0)
    with pytest.raises(UserError, match=r"1 <= min_size <= max_size\. Got 9 and 4"):
        train_transforms(crop_min=9, crop_max=4)
