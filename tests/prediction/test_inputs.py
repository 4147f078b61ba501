"""A picture is treated alike as a file, a PIL image, an array and a tensor."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dsct_detrex.data.images import ImageError, read_photo
from dsct_detrex.errors import UserError
from dsct_detrex.prediction.inputs import as_photo

RGB = np.random.default_rng(0).integers(0, 256, (6, 5, 3), dtype=np.uint8)
GRAY = RGB[..., 0]
ALPHA = np.full((6, 5, 1), 99, np.uint8)


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def transparent_palette() -> Image.Image:
    picture = Image.fromarray(RGB).quantize(8)
    picture.info["transparency"] = bytes(range(8))
    return picture


FILES = {
    "rgb.png": Image.fromarray(RGB),
    "rgba.png": Image.fromarray(np.concatenate([RGB, ALPHA], -1)),
    "gray.png": Image.fromarray(GRAY),
    "gray_alpha.png": Image.fromarray(np.concatenate([GRAY[..., None], ALPHA], -1)),
    "sixteen.png": Image.fromarray(GRAY.astype(np.uint16) * 256 + 77),
    "one_bit.png": Image.fromarray(GRAY).convert("1"),
    "palette.png": Image.fromarray(RGB).quantize(8),
    "transparent_palette.png": transparent_palette(),
    "wide.tif": Image.fromarray(GRAY.astype(np.int32) * 256),
    "float.tif": Image.fromarray(GRAY.astype(np.float32)),
    "cmyk.tif": Image.fromarray(RGB).convert("CMYK"),
    "lab.tif": Image.fromarray(RGB).convert("LAB"),
    "ycbcr.jpg": Image.fromarray(RGB).convert("YCbCr"),
    "cmyk.jpg": Image.fromarray(RGB).convert("CMYK"),
    "moving.gif": Image.fromarray(RGB).quantize(8),
}


@pytest.mark.filterwarnings("ignore:Palette images with Transparency")
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_pil_image_is_treated_as_its_file(name: str, orientation: int, tmp_path: Path) -> None:
    path = tmp_path / name
    FILES[name].save(path, exif=turned(orientation))
    of_path, of_text = as_photo(path), as_photo(str(path))
    with Image.open(path) as image:
        of_image = as_photo(image)
    assert of_path.pixels.mode == of_image.pixels.mode == "RGB"
    for other in (of_text, of_image, read_photo(str(path))):
        np.testing.assert_array_equal(np.asarray(of_path.pixels), np.asarray(other.pixels))
        assert (of_path.width, of_path.height) == (other.width, other.height)
    if orientation in (6, 8) and not name.endswith(".gif"):
        assert (of_path.width, of_path.height) == (6, 5)


@pytest.mark.parametrize("name", ["rgba.png", "gray.png", "gray_alpha.png", "sixteen.png", "float.tif"])
def test_an_array_is_treated_as_its_file(name: str, tmp_path: Path) -> None:
    FILES[name].save(tmp_path / name)
    with Image.open(tmp_path / name) as image:
        array = np.asarray(image)
    np.testing.assert_array_equal(np.asarray(as_photo(array).pixels), np.asarray(as_photo(tmp_path / name).pixels))


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (RGB, RGB),
        (RGB[:, ::-1], RGB[:, ::-1]),  # not contiguous
        (GRAY, np.stack([GRAY] * 3, -1)),
        (GRAY[..., None], np.stack([GRAY] * 3, -1)),
        (np.concatenate([RGB, ALPHA], -1), RGB),
        (RGB.astype(np.uint16) * 256 + 200, RGB),
        (RGB.astype(np.float32), RGB),
        (RGB / 255, RGB),
    ],
    ids=["rgb", "view", "gray", "gray 1", "rgba", "uint16", "float 255", "float 1"],
)
def test_arrays_and_tensors(array: np.ndarray, expected: np.ndarray) -> None:
    photo = as_photo(array)
    assert np.abs(np.asarray(photo.pixels).astype(int) - expected).max() <= (1 if array.dtype.kind == "f" else 0)
    assert (photo.width, photo.height) == (5, 6)
    if array.dtype != np.uint16:
        channels_first = array.transpose(2, 0, 1) if array.ndim == 3 else array
        tensor = torch.from_numpy(np.ascontiguousarray(channels_first))
        np.testing.assert_array_equal(np.asarray(as_photo(tensor).pixels), np.asarray(photo.pixels))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (RGB.transpose(2, 0, 1), r"Got \(3, 6, 5\)\. Channels come last: array\.transpose\(1, 2, 0\)"),
        (RGB[None], r"Got \(1, 6, 5, 3\)"),
        (np.zeros((0, 4, 3), np.uint8), r"Got \(0, 4, 3\)"),
        (np.zeros((6, 4, 5), np.uint8), r"1 to 4 channels\. Got \(6, 4, 5\)"),
        (RGB.astype(np.int64), r"uint8, uint16 or float\. Got int64; make it uint8"),
        (
            RGB.astype(np.float32) / 128 - 1,
            r"values from 0 to 1, or from 0 to 255\. Got -\S+ to .* before it was normalised",
        ),
        (np.full((6, 4, 3), np.nan), r"Got nan to nan"),
        (RGB.astype(np.float32) * 256, r"Got \S+ to 6\.\S+e\+04"),
        (np.array([["a"]]), r"Got <U1"),
        (np.array([[None]]), r"Got object"),
        (np.array(5), r"Got \(\)"),
        (GRAY > 127, r"Got bool; that is a mask, not a picture"),
        (RGB / 255 * 0 + 1.02, r"Got 1\.02 to 1\.02, which could be either; clip it to 1, or make it uint8"),
        (np.full((6, 4, 3), np.inf), r"Got inf to inf"),
        (torch.zeros(3, 0, 4), r"\(C, H, W\) .* Got \(3, 0, 4\)"),
        (torch.zeros(3, 6, 4, dtype=torch.complex64), r"Got complex64"),
        (torch.zeros(3, 6, 4, device="meta"), r"torch says: Cannot copy out of meta tensor"),
        (torch.zeros(3, 6, 4).to_sparse(), r"torch says: .*Sparse"),
        (Image.new("RGB", (0, 5)), r"The image given has no pixels \(0 x 5\)"),
        ("https://example.org/a.jpg", r"is an address, and nothing is downloaded here"),
        (torch.zeros(6, 4, 3, dtype=torch.uint8), r"\(C, H, W\) .* Got \(6, 4, 3\)"),
        (torch.zeros(1, 3, 6, 4), r"\(C, H, W\) .* Got \(1, 3, 6, 4\)"),
        (None, r"expects a path, a PIL image, an array .* Got NoneType \(cv2\.imread gives None"),
        (b"bytes", r"Got bytes; open it first: PIL\.Image\.open\(io\.BytesIO\(data\)\)\."),
        (["a.png"], r"Got list\."),
    ],
)
def test_what_is_no_picture_is_named(value: object, message: str) -> None:
    with pytest.raises(UserError, match=message):
        as_photo(value)  # type: ignore[arg-type]


def test_a_path_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    Image.fromarray(RGB).save(tmp_path / "a.png")
    assert as_photo("~/a.png").pixels.size == as_photo(Path("~/a.png")).pixels.size == (5, 6)


def test_a_truncated_pil_image_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    Image.new("RGB", (64, 64)).save(path)
    path.write_bytes(path.read_bytes()[:-60])
    with Image.open(path) as image, pytest.raises(ImageError, match=r"a\.jpg cannot be read \(image file is truncated"):
        as_photo(image)


def test_a_closed_image_is_named(tmp_path: Path) -> None:
    Image.fromarray(RGB).save(tmp_path / "a.png")
    image = Image.open(tmp_path / "a.png")
    image.close()
    with pytest.raises(ImageError, match=r"a\.png cannot be read \(Operation on closed image\)"):
        as_photo(image)


MODES = ["1", "L", "P", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "LAB", "HSV", "I", "F", "LA", "La", "PA"]


@pytest.mark.parametrize("mode", [*MODES, "I;16", "I;16L", "I;16B", "I;16N"])
def test_an_image_of_any_mode_is_read(mode: str) -> None:
    photo = as_photo(Image.new(mode, (5, 6)))
    assert (photo.pixels.mode, photo.pixels.size) == ("RGB", (5, 6))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_floats_of_any_length_are_read(dtype: torch.dtype) -> None:
    tensor = (torch.arange(3 * 30).reshape(3, 6, 5) / 128).to(dtype).requires_grad_()
    expected = (tensor.detach().double() * 255).to(torch.uint8)
    pixels = torch.from_numpy(np.array(as_photo(tensor).pixels)).permute(2, 0, 1)
    assert (pixels.int() - expected.int()).abs().max() <= 1


def test_the_given_image_is_not_changed() -> None:
    picture = Image.fromarray(RGB)
    as_photo(picture).pixels.paste("red", (0, 0, 5, 6))
    np.testing.assert_array_equal(np.asarray(picture), RGB)
