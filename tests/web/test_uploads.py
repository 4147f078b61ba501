"""What the page takes and does not take, each with its sentence."""

from pathlib import Path

import pytest
from PIL import Image

from dsct_detrex.errors import UserError
from dsct_detrex.web.uploads import Limits, kept, read_upload

LIMITS = Limits(megabytes=1, megapixels=2)


def test_a_picture_is_read_upright(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    Image.new("RGB", (40, 30)).save(path, exif=exif)
    photo = read_upload(str(path), "a.jpg", LIMITS)
    assert (photo.width, photo.height) == photo.pixels.size == (30, 40)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", r"^holiday.png cannot be read \(it is empty\). Copy the file again.$"),
        (b"no picture", r"^holiday.png cannot be read \(it is no picture, or its beginning is broken\)."),
        (b"0" * ((1 << 20) + 1), r"^This file has more than 1 MB, the most that this page takes. Make it smaller.$"),
    ],
)
def test_no_picture_is_one_sentence_without_a_path_of_this_machine(
    content: bytes, sentence: str, tmp_path: Path
) -> None:
    path = tmp_path / "holiday.png"
    path.write_bytes(content)
    with pytest.raises(UserError, match=sentence) as error:
        read_upload(str(path), "holiday.png", LIMITS)
    assert str(tmp_path) not in str(error.value)


def test_many_pixels_in_few_bytes_are_refused_before_they_are_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "white.png"
    Image.new("1", (2000, 1001)).save(path)
    monkeypatch.setattr("dsct_detrex.web.uploads.read_photo", lambda path: pytest.fail("it was decoded"))
    with pytest.raises(
        UserError, match=r"^white.png has 2000 x 1001 pixels, which is more than 2 megapixels, the most"
    ):
        read_upload(str(path), "white.png", LIMITS)


def test_the_limits_themselves_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "white.png"
    Image.new("1", (2000, 1000)).save(path)
    assert read_upload(str(path), "white.png", LIMITS).width == 2000


def test_what_is_held_is_small_and_keeps_its_frame(tmp_path: Path) -> None:
    path = tmp_path / "wide.png"
    Image.new("RGB", (1800, 900)).save(path)
    held = kept(read_upload(str(path), "wide.png", LIMITS))
    assert held.pixels.size == (1600, 800)
    assert (held.width, held.height) == (1800, 900)
