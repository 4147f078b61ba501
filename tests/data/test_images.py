"""Pictures of every mode and orientation become RGB in the frame of their boxes; broken ones are named."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsct_detrex.data.images import ImageError, MissingImageError, frame_size, read_rgb

RGB = np.array([[[200, 0, 0], [0, 150, 0]], [[0, 0, 100], [9, 9, 9]], [[1, 2, 3], [50, 60, 70]]], dtype=np.uint8)
GRAY = RGB[..., 0]


def read(picture: Image.Image, path: Path, **options: object) -> np.ndarray:
    picture.save(path, **options)
    image = read_rgb(str(path), picture.size)
    assert image.mode == "RGB"
    return np.asarray(image)


def test_rgb_is_unchanged(tmp_path: Path) -> None:
    np.testing.assert_array_equal(read(Image.fromarray(RGB), tmp_path / "a.png"), RGB)


def test_gray_is_repeated(tmp_path: Path) -> None:
    np.testing.assert_array_equal(read(Image.fromarray(GRAY), tmp_path / "a.png"), np.stack([GRAY] * 3, -1))


@pytest.mark.parametrize("alpha", [0, 128, 255])
def test_alpha_is_dropped_not_blended(alpha: int, tmp_path: Path) -> None:
    rgba = np.concatenate([RGB, np.full((3, 2, 1), alpha, np.uint8)], -1)
    np.testing.assert_array_equal(read(Image.fromarray(rgba), tmp_path / "a.png"), RGB)


def test_gray_with_alpha(tmp_path: Path) -> None:
    both = np.stack([GRAY, np.full_like(GRAY, 7)], -1)
    np.testing.assert_array_equal(read(Image.fromarray(both), tmp_path / "a.png"), np.stack([GRAY] * 3, -1))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("options", [{}, {"transparency": 0}, {"transparency": b"\x00\x80\xff\x10\x20\x30"}])
def test_palette_is_looked_up(options: dict[str, object], tmp_path: Path) -> None:
    palette = Image.fromarray(RGB).quantize(6)
    expected = np.asarray(palette.convert("RGB"))
    np.testing.assert_array_equal(read(palette, tmp_path / "a.png", **options), expected)
    assert np.abs(expected.astype(int) - RGB).max() <= 3


def test_sixteen_bits_keep_the_upper_byte(tmp_path: Path) -> None:
    deep = GRAY.astype(np.uint16) * 256 + 77
    np.testing.assert_array_equal(read(Image.fromarray(deep), tmp_path / "a.png"), np.stack([GRAY] * 3, -1))
    np.testing.assert_array_equal(read(Image.fromarray(deep), tmp_path / "a.tif"), np.stack([GRAY] * 3, -1))


def test_wide_integers_and_floats(tmp_path: Path) -> None:
    wide = GRAY.astype(np.int32) * 256
    np.testing.assert_array_equal(read(Image.fromarray(wide), tmp_path / "a.tif"), np.stack([GRAY] * 3, -1))
    narrow = GRAY.astype(np.float32)
    np.testing.assert_array_equal(read(Image.fromarray(narrow), tmp_path / "b.tif"), np.stack([GRAY] * 3, -1))


def test_cmyk_and_one_bit(tmp_path: Path) -> None:
    assert read(Image.fromarray(RGB).convert("CMYK"), tmp_path / "a.tif").shape == RGB.shape
    assert read(Image.fromarray(RGB).convert("1"), tmp_path / "b.png").shape == RGB.shape


def save_turned(path: Path, orientation: int, pixels: np.ndarray = RGB) -> None:
    """A file of the stored ``pixels`` whose EXIF asks for ``orientation``."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(path, exif=exif)


UPRIGHT = {
    1: RGB,
    2: RGB[:, ::-1],
    3: RGB[::-1, ::-1],
    4: RGB[::-1],
    5: RGB.transpose(1, 0, 2),
    6: RGB.transpose(1, 0, 2)[:, ::-1],
    7: RGB.transpose(1, 0, 2)[::-1, ::-1],
    8: RGB.transpose(1, 0, 2)[::-1],
}


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_exif_turns_the_picture_upright(orientation: int, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    save_turned(path, orientation)
    height, width = UPRIGHT[orientation].shape[:2]
    for size in (None, (width, height)):
        np.testing.assert_array_equal(np.asarray(read_rgb(str(path), size)), UPRIGHT[orientation])


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_boxes_of_the_stored_frame_get_the_stored_frame(orientation: int, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    save_turned(path, orientation)
    np.testing.assert_array_equal(np.asarray(read_rgb(str(path), (2, 3))), RGB)


@pytest.mark.parametrize("orientation", range(10))
def test_frame_size_is_the_size_of_the_picture_read(orientation: int, tmp_path: Path) -> None:
    path = str(tmp_path / "a.jpg")
    save_turned(Path(path), orientation)
    assert frame_size(path) == read_rgb(path).size == ((3, 2) if 5 <= orientation <= 8 else (2, 3))


TEXT_FOR_A_NUMBER = b"MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x02\x00\x00\x00\x04abc\x00\x00\x00\x00\x00"


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize(
    "exif",
    [b"MM\x00\x2a\xff\xff\xff\xff", b"no tiff header at all", b"MM", TEXT_FOR_A_NUMBER],
    ids=["endless", "no header", "cut", "text"],
)
def test_broken_exif_does_not_cost_the_picture(exif: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.fromarray(RGB).save(path, exif=b"Exif\x00\x00" + exif)
    assert read_rgb(str(path), (2, 3)).size == (2, 3)
    assert frame_size(str(path)) == (2, 3)


def test_another_size_than_annotated_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(RGB).save(path)
    with pytest.raises(ImageError, match=r"a\.png is 2 x 3 pixels, .* says 3 x 2, .* Use the original image\.$"):
        read_rgb(str(path), (3, 2))


def test_missing_file(tmp_path: Path) -> None:
    path = str(tmp_path / "a.jpg")
    for reader in (read_rgb, frame_size):
        with pytest.raises(MissingImageError, match=r"a\.jpg is not there\. Copy the file again\.$"):
            reader(path)


def noise(path: Path) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path.read_bytes()


@pytest.mark.filterwarnings("ignore:Truncated File Read")
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".gif", ".bmp", ".tif"])
@pytest.mark.parametrize("part", [0.0, 0.01, 0.6])
def test_truncated_file_is_named(suffix: str, part: float, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    content = noise(path)
    path.write_bytes(content[: int(len(content) * part)])
    with pytest.raises(ImageError, match=rf"a\{suffix} cannot be read \(.+\)\. Copy the file again\.$"):
        read_rgb(str(path))


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_corrupt_bytes_never_escape_as_another_error(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    content = noise(path)
    rng = np.random.default_rng(1)
    for _ in range(150):
        broken = bytearray(content)
        for place in rng.integers(0, min(len(content), 900), 3):
            broken[place] = rng.integers(0, 256)
        path.write_bytes(bytes(broken))
        for reader in (read_rgb, frame_size):
            with suppress(ImageError):
                reader(str(path))


def test_picture_bomb_is_an_image_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(RGB).save(path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2)
    with pytest.raises(ImageError, match="decompression bomb"):
        read_rgb(str(path))
