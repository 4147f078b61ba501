"""Reduced JPEGs: how far, of which files, in which frame, and that boxes and random choices do not notice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from dsct_detrex.data import DatasetMapper, Record, Subset, eval_transforms, train_transforms
from dsct_detrex.data.dataset import load_reduced
from dsct_detrex.data.fetching import Images
from dsct_detrex.data.images import ImageError, read_rgb
from dsct_detrex.data.order import Draw
from dsct_detrex.structures import EMOTIC

SIZE = (163, 121)  # divides by nothing
SMOOTH = Image.fromarray(np.random.default_rng(0).integers(0, 255, (6, 8, 3), dtype=np.uint8)).resize(
    SIZE, Image.Resampling.BICUBIC
)

A_HAIR = 8.0
"""Mean difference of pixels; the picture turned or mirrored differs by more than 40."""


def saved(path: Path, picture: Image.Image = SMOOTH, orientation: int = 1, **options: Any) -> str:
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture.save(path, exif=exif, **options)
    return str(path)


@pytest.mark.parametrize(
    ("least", "found"),
    [
        (None, SIZE),
        ((163, 121), SIZE),
        ((82, 60), SIZE),  # half of 163 is 81.5
        ((81, 61), SIZE),
        ((81, 60), (82, 61)),
        ((41, 30), (82, 61)),
        ((40, 30), (41, 31)),
        ((20, 15), (21, 16)),
        ((1, 1), (21, 16)),
        ((400, 1), SIZE),
        ((0, 0), SIZE),
    ],
)
def test_the_smallest_that_will_do(least: tuple[int, int] | None, found: tuple[int, int], tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg")
    assert read_rgb(path, SIZE, least).size == found
    assert read_rgb(path, None, least).size == SIZE, "without a frame to compare with"


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("subsampling", [0, 2])
def test_any_jpeg_shows_the_same(mode: str, progressive: bool, subsampling: int, tmp_path: Path) -> None:
    kind: dict[str, Any] = {"progressive": progressive, "subsampling": subsampling, "quality": 95}
    path = saved(tmp_path / "a.jpg", SMOOTH.convert(mode), **kind)
    assert np.abs(np.asarray(SMOOTH, float) - np.asarray(SMOOTH.rotate(180), float)).mean() > 40
    reduced = read_rgb(path, SIZE, (80, 60))
    assert (reduced.mode, reduced.size) == ("RGB", (82, 61))
    whole = read_rgb(path, SIZE).resize(reduced.size, Image.Resampling.BOX)
    assert np.abs(np.asarray(reduced, float) - np.asarray(whole, float)).mean() < A_HAIR


@pytest.mark.parametrize("suffix", [".png", ".webp", ".bmp", ".tif"])
def test_other_formats_stay_whole(suffix: str, tmp_path: Path) -> None:
    path = str(tmp_path / f"a{suffix}")
    SMOOTH.save(path)
    assert read_rgb(path, SIZE, (10, 10)).size == SIZE


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_picture_is_reduced_upright(orientation: int, tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg", orientation=orientation, quality=95)
    whole = read_rgb(path)
    least = (60, 80) if orientation >= 5 else (80, 60)
    reduced = read_rgb(path, whole.size, least)
    assert reduced.size == ((61, 82) if orientation >= 5 else (82, 61))
    expected = np.asarray(whole.resize(reduced.size, Image.Resampling.BOX), float)
    assert np.abs(np.asarray(reduced, float) - expected).mean() < A_HAIR


def test_boxes_in_the_stored_frame_keep_the_picture_whole(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg", orientation=6)
    assert read_rgb(path, SIZE, (10, 10)).size == SIZE


def test_another_size_is_still_an_error(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"is 163 x 121 pixels, but its annotation says 82 x 61"):
        read_rgb(saved(tmp_path / "a.jpg"), (82, 61), (10, 10))


class OnePhoto:
    """A data set of one picture, which remembers what it was asked for."""

    emotions = EMOTIC
    name = "one"

    def __init__(self, path: str) -> None:
        self.path = path
        self.asked: list[tuple[int, int] | None] = []

    def __len__(self) -> int:
        return 1

    def record(self, index: int) -> Record:
        people: Any = [{"bbox": [20.0, 30.0, 90.0, 100.0], "labels": [1]}, {"bbox": [0.0, 0, 30, 20], "labels": [3, 4]}]
        return {"file_name": self.path, "image_id": 1, "height": 121, "width": 163, "annotations": people}

    def load_image(self, index: int) -> Image.Image:
        return self.load_reduced(index, None)

    def load_reduced(self, index: int, least: tuple[int, int] | None) -> Image.Image:
        self.asked.append(least)
        return read_rgb(self.path, SIZE, least)


TRANSFORMS = train_transforms((20, 30, 40), 60, crop_scales=(35, 45), crop_min=20, crop_max=30)


def test_training_differs_in_nothing_but_a_hair_of_the_pixels(tmp_path: Path) -> None:
    """Sizes, boxes, mirroring, crops and labels are those of the whole picture, for every seed."""
    dataset = OnePhoto(saved(tmp_path / "a.jpg", quality=95))
    mapper = DatasetMapper(TRANSFORMS, EMOTIC, is_train=True)
    whole, reduced = (Images(dataset, mapper, "raise", replace=True, draft=draft) for draft in (False, True))
    for seed in range(40):
        a, b = (images[Draw(0, seed)].model_input for images in (whole, reduced))
        assert a is not None
        assert b is not None
        torch.testing.assert_close(a["instances"].gt_boxes.tensor, b["instances"].gt_boxes.tensor)
        assert torch.equal(a["instances"].gt_multilabels, b["instances"].gt_multilabels)
        assert (a["height"], a["width"], a["image"].shape) == (b["height"], b["width"], b["image"].shape)
        assert (a["image"].float() - b["image"].float()).abs().mean() < A_HAIR
    wanted = [least for least in dataset.asked if least is not None]
    assert len(wanted) == 40
    assert {min(least) for least in wanted} == {20, 30, 40, 35, 45}


def test_evaluation_boxes_stay_in_the_frame_of_the_file(tmp_path: Path) -> None:
    dataset = OnePhoto(saved(tmp_path / "a.jpg"))
    mapper = DatasetMapper(eval_transforms(20, 100), EMOTIC, is_train=False)
    whole, reduced = (Images(dataset, mapper, "raise", replace=False, draft=d)[Draw(0, 0)] for d in (False, True))
    assert whole.model_input is not None
    assert reduced.model_input is not None
    assert dataset.asked == [None, (26, 20)]
    assert reduced.model_input["image"].shape == whole.model_input["image"].shape == (3, 20, 26)
    truths = [one.model_input["ground_truth"] for one in (whole, reduced)]
    assert truths[0].image_size == truths[1].image_size == (121, 163)
    assert torch.equal(truths[0].gt_boxes.tensor, truths[1].gt_boxes.tensor)


def test_transforms_of_ones_own_get_whole_pictures(tmp_path: Path) -> None:
    dataset = OnePhoto(saved(tmp_path / "a.jpg"))
    Images(dataset, DatasetMapper(lambda scene: scene, EMOTIC, True), "raise", replace=True, draft=True)[Draw(0, 0)]
    Images(dataset, lambda record, image: {"image": image}, "raise", replace=True, draft=True)[Draw(0, 0)]
    assert dataset.asked == [None, None]


def test_data_sets_of_ones_own_need_not_reduce(tmp_path: Path) -> None:
    class Plain:
        emotions, name, load_image, record, __len__ = (
            EMOTIC, "plain", OnePhoto.load_image, OnePhoto.record, OnePhoto.__len__,
        )  # fmt: skip

    photo = OnePhoto(saved(tmp_path / "a.jpg"))
    assert load_reduced(Subset(photo, 1), 0, (10, 10)).size == (21, 16)
    plain = Plain()
    plain.load_image = lambda index: SMOOTH  # type: ignore[method-assign, misc, assignment]
    assert load_reduced(plain, 0, (10, 10)) is SMOOTH  # type: ignore[arg-type]
