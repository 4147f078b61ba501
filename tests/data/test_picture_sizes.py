"""Sizes from picture headers, and annotated sizes that are those of other pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from dsct_detrex.data.checks import DataReport
from dsct_detrex.data.dataset import Record
from dsct_detrex.data.images import ImageError
from dsct_detrex.data.picture_sizes import check_sizes, measured
from dsct_detrex.errors import UserError


def record(path: Path, width: int = 0, height: int = 0) -> Record:
    return {"file_name": str(path), "image_id": 1, "height": height, "width": width, "annotations": []}


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """Six pictures of 40 x 30; EXIF says that the last is to be turned."""
    paths = [tmp_path / f"{number}.jpg" for number in range(6)]
    for path in paths:
        exif = Image.Exif()
        exif[0x0112] = 6 if path == paths[-1] else 1
        Image.new("RGB", (40, 30)).save(path, exif=exif)
    return paths


def test_only_unknown_sizes_are_read(pictures: list[Path]) -> None:
    report = DataReport("t")
    found = measured([record(pictures[0]), record(pictures[1], 7, 5), record(pictures[-1])], report, "raise")
    assert [(each["width"], each["height"]) for each in found] == [(40, 30), (7, 5), (30, 40)]


def test_a_header_that_cannot_be_read(pictures: list[Path]) -> None:
    pictures[1].write_bytes(b"no picture")
    listed, report = [record(path) for path in pictures[:3]], DataReport("t")
    with pytest.raises(ImageError, match=r"1\.jpg cannot be read"):
        measured(listed, report, "raise")
    assert len(measured(listed, report, "skip")) == 2
    assert report.counts == {"unreadable_images": 1}


@pytest.mark.parametrize("turned", [(40, 30), (30, 40)])
def test_single_differences_are_left_to_the_reading(turned: tuple[int, int], pictures: list[Path]) -> None:
    listed = [record(path, 40, 30) for path in pictures[:4]]
    check_sizes([*listed, record(pictures[4], 80, 60), record(pictures[5], *turned)], Path("boxes.json"))
    check_sizes([], Path("boxes.json"))


@pytest.mark.parametrize(
    ("width", "height", "remedy"),
    [
        (80, 60, "resized by 2: use those, or divide"),
        (27, 20, "resized by 0.675"),
        (30, 40, "Width and height are swapped"),
        (40, 31, "Use the pictures that were annotated"),
    ],
)
def test_sizes_of_other_pictures(width: int, height: int, remedy: str, pictures: list[Path]) -> None:
    with pytest.raises(UserError) as caught:
        check_sizes([record(path, width, height) for path in pictures], Path("boxes.json"))
    assert "boxes.json: the annotated sizes are not those of the pictures" in str(caught.value)
    assert f"{width} x {height} for" in str(caught.value)
    assert "which is 40 x 30 pixels" in str(caught.value)
    assert remedy in str(caught.value)
