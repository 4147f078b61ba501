"""Pictures of every mode and orientation become RGB in the frame of their boxes; broken ones are named."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsct_detrex.data.images import ImageError, MissingImageError, can_read_heif, frame_size, read_photo, read_rgb

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


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK", "I;16"])
@pytest.mark.parametrize("compression", [None, "tiff_lzw"])
def test_a_turned_tiff_is_upright(mode: str, orientation: int, compression: str | None, tmp_path: Path) -> None:
    """Pillow turns TIFFs itself, and tells their upright size before."""
    path = tmp_path / "a.tif"
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = Image.fromarray(GRAY.astype(np.uint16) * 256) if mode == "I;16" else Image.fromarray(RGB).convert(mode)
    picture.save(path, exif=exif, compression=compression)
    pixels = np.asarray(picture.convert("RGB")) if mode != "I;16" else np.stack([GRAY] * 3, -1)
    stored = {tuple(p): tuple(q) for p, q in zip(RGB.reshape(-1, 3), pixels.reshape(-1, 3))}
    expected = np.array([stored[tuple(p)] for p in UPRIGHT[orientation].reshape(-1, 3)])
    read = np.asarray(read_rgb(str(path)))
    np.testing.assert_array_equal(read, expected.reshape(UPRIGHT[orientation].shape))
    assert frame_size(str(path)) == (read.shape[1], read.shape[0])


def test_another_size_than_annotated_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(RGB).save(path)
    with pytest.raises(ImageError, match=r"a\.png is 2 x 3 pixels, .* says 3 x 2, .* Use the original image\.$"):
        read_rgb(str(path), (3, 2))


def test_missing_file(tmp_path: Path) -> None:
    path = str(tmp_path / "a.jpg")
    for reader in (read_rgb, frame_size):
        with pytest.raises(MissingImageError, match=r"a\.jpg is not there\. Check the path, or copy the file there\.$"):
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


@pytest.fixture
def limit_of_100_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a picture of 200 megapixels meets Pillow's real limit."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 50)


def big(path: Path, mode: str = "RGB", orientation: int = 1, size: tuple[int, int] = (32, 16)) -> Path:
    """32 x 16 pixels, white on the left half."""
    picture = Image.new("RGB", size, "black")
    picture.paste("white", (0, 0, size[0] // 2, size[1]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture.convert(mode).save(path, exif=exif)
    return path


@pytest.mark.filterwarnings("error")
@pytest.mark.usefixtures("limit_of_100_pixels")
@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize(("orientation", "frame"), [(1, (32, 16)), (6, (16, 32)), (3, (32, 16))])
def test_a_large_jpeg_is_read_at_reduced_size(
    mode: str, orientation: int, frame: tuple[int, int], tmp_path: Path
) -> None:
    photo = read_photo(str(big(tmp_path / "a.jpg", mode, orientation)))
    assert (photo.width, photo.height) == frame  # boxes are in pixels of the original
    assert photo.pixels.size == (frame[0] // 4, frame[1] // 4)  # 512 pixels: 1/2 is 128, 1/4 is 32
    assert photo.reduced
    white = np.asarray(photo.pixels).mean(axis=2) > 128
    assert {1: white[:, :4].all(), 3: white[:, 4:].all(), 6: white[:4].all()}[orientation]
    assert white.mean() == 0.5


@pytest.mark.usefixtures("limit_of_100_pixels")
def test_a_jpeg_too_large_for_an_eighth_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"a\.jpg has .* megapixels \(32 x 32\), above the limit .*JPEG"):
        read_photo(str(big(tmp_path / "a.jpg", size=(256, 256))))


@pytest.mark.filterwarnings("error")
@pytest.mark.usefixtures("limit_of_100_pixels")
@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".bmp", ".heic"])
def test_another_large_picture_is_refused_with_the_true_reason(suffix: str, tmp_path: Path) -> None:
    can_read_heif()
    path = big(tmp_path / f"a{suffix}")
    with pytest.raises(ImageError, match=r"has .* megapixels \(32 x 16\), above the limit .*save it as JPEG") as error:
        read_photo(str(path))
    assert "broken" not in str(error.value)
    assert "Copy the file again" not in str(error.value)


@pytest.mark.usefixtures("limit_of_100_pixels")
@pytest.mark.parametrize("reader", [frame_size, lambda path: read_rgb(path, (32, 16))])
def test_an_annotated_large_picture_is_refused_with_the_true_reason(
    reader: Callable[[str], object], tmp_path: Path
) -> None:
    with pytest.raises(ImageError, match=r"megapixels \(32 x 16\), above the limit .* Make it smaller, and its boxes"):
        reader(str(big(tmp_path / "a.jpg")))


@pytest.mark.filterwarnings("error")
def test_between_pillows_warning_and_its_limit_nothing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 300)
    assert not read_photo(str(big(tmp_path / "a.png"))).reduced
    assert Image.MAX_IMAGE_PIXELS == 300


def test_who_lifts_pillows_limit_lifts_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    assert read_photo(str(big(tmp_path / "a.png"))).pixels.size == (32, 16)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", r"\(it is empty\)\. Copy the file again"),
        (b"<html>", r"\(it is no picture, or its beginning is broken\)"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 7\n%%EndComments\n", r"it is no picture"),  # no Ghostscript
        (b"\0\0\1\xb3\x16\0\xf0\x15" + bytes(500), "it is no picture"),  # a video
        (b"\x89HDF\r\n\x1a\n" + bytes(500), "it is no picture"),
    ],
)
def test_what_is_no_picture_is_named(content: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(ImageError, match=rf"a\.jpg cannot be read .*{reason}"):
        read_rgb(str(tmp_path / "a.jpg"))


def test_a_folder_named_like_a_picture(tmp_path: Path) -> None:
    (tmp_path / "album.jpg").mkdir()
    with pytest.raises(ImageError, match=r"album\.jpg cannot be read \(it is a folder\)"):
        read_rgb(str(tmp_path / "album.jpg"))


@pytest.mark.parametrize("name", ["a.heic", "a.jpg"])
def test_heic_is_read_with_pillow_heif_whatever_its_suffix(name: str, tmp_path: Path) -> None:
    assert can_read_heif()
    big(tmp_path / "b.heic").rename(tmp_path / name)
    photo = read_photo(str(tmp_path / name))
    assert photo.pixels.size == (32, 16)
    assert np.asarray(photo.pixels)[8, [4, 28]].mean(axis=1) == pytest.approx([255, 0], abs=9)


@pytest.mark.parametrize("name", ["a.heic", "a.jpg"])
def test_heic_without_pillow_heif_is_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    can_read_heif()
    big(tmp_path / "b.heic").rename(tmp_path / name)
    monkeypatch.delitem(Image.OPEN, "HEIF")
    monkeypatch.setattr(Image, "ID", [form for form in Image.ID if form != "HEIF"])
    monkeypatch.setattr("dsct_detrex.data.images.can_read_heif", lambda: False)
    with pytest.raises(ImageError, match=r"\(it is HEIC, which needs pillow-heif\)\. .*pip install pillow-heif"):
        read_photo(str(tmp_path / name))


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".tif", ".png"])
def test_of_a_moving_picture_the_first_frame_is_read(suffix: str, tmp_path: Path) -> None:
    frames = [Image.new("RGB", (8, 8), color) for color in ("white", "black")]
    frames[0].save(tmp_path / f"a{suffix}", save_all=True, append_images=frames[1:])
    frames[0].save(tmp_path / f"b{suffix}")
    moving, still = (read_photo(str(tmp_path / f"{name}{suffix}")) for name in "ab")
    assert moving.moving
    assert not still.moving
    assert np.asarray(moving.pixels).min() > 250


def test_the_second_picture_of_a_camera_file_is_no_frame(tmp_path: Path) -> None:
    """Phones save portraits as MPO: a JPEG with another one, of the depth or of the other lens, behind it."""
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[Image.new("RGB", (8, 8))])
    assert not read_photo(str(tmp_path / "a.jpg")).moving


def test_floats_from_0_to_1_are_no_black_picture(tmp_path: Path) -> None:
    Image.fromarray(GRAY.astype(np.float32) / 255).save(tmp_path / "a.tif")
    read = np.asarray(read_rgb(str(tmp_path / "a.tif"))).astype(int)
    assert np.abs(read - GRAY[..., None]).max() <= 1
