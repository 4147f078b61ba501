"""All pictures are looked at once; broken ones are named; an interruption loses nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dsct_detrex.data.images import ImageError
from dsct_detrex.faces.frames import frames_of
from dsct_detrex.faces.journal import Found, Journal
from dsct_detrex.faces.search import search
from tests.faces.conftest import FACES, KnownFaces

Write = Callable[[dict[str, "int | bytes"]], Path]
FIVE: dict[str, int | bytes] = {f"train/Sad/{n}.png": n for n in range(5)}


def look(root: Path, detector: KnownFaces, **more: object) -> tuple[dict[str, Found], dict[str, str]]:
    with Journal(root / "faces.jsonl", detector) as journal:
        return search(frames_of(root)[0], detector, journal, jobs=2, **more)  # type: ignore[arg-type]


def test_boxes_lie_inside_their_picture(caer: Write) -> None:
    found, broken = look(caer(FIVE), KnownFaces())
    assert {path: len(each.faces) for path, each in found.items()} == {f"train/Sad/{n}.png": n for n in range(5)}
    assert found["train/Sad/3.png"].faces[2].box == (0, 40, 12, 60)
    assert broken == {}


@pytest.mark.parametrize(("min_size", "faces"), [(19, 3), (20, 2), (35, 1), (50, 0)])
def test_small_faces_are_dropped(min_size: int, faces: int, caer: Write) -> None:
    found, _ = look(caer({"train/Sad/3.png": 3}), KnownFaces(min_size))
    assert len(found["train/Sad/3.png"].faces) == faces


def test_interrupted_and_continued(caer: Write) -> None:
    root, detector = caer(FIVE), KnownFaces()
    told: list[tuple[int, int]] = []

    def interrupt(done: int, total: int) -> None:
        told.append((done, total))
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        look(root, detector, progress=interrupt)
    again = KnownFaces()
    found, _ = look(root, again)
    assert (told[0], told[-1]) == ((0, 5), (3, 5))
    assert again.seen == 2
    assert found == look(caer(FIVE), KnownFaces())[0], "as in one go"


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n cut short"])
def test_broken_pictures_are_named_and_tried_again(content: bytes, caer: Write) -> None:
    root = caer({**FIVE, "test/Sad/1.png": content})
    found, broken = look(root, KnownFaces())
    assert len(found) == 5
    assert list(broken) == ["test/Sad/1.png"]
    assert "test/Sad/1.png cannot be read" in broken["test/Sad/1.png"]
    with pytest.raises(ImageError, match=r"Or set --on-error report to go on"):
        look(root, KnownFaces(), stop_at_broken=True)
    again = KnownFaces()
    found, broken = look(caer({"test/Sad/1.png": 2}), again)
    assert (len(found), broken, again.seen) == (6, {}, 1)


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "1", "I;16", "CMYK"])
def test_every_kind_of_picture(mode: str, caer: Write) -> None:
    root = caer({"test/Sad/1.png": 0})
    if mode == "I;16":
        picture = Image.fromarray(np.full((60, 80), 2 * 256 + 5, np.uint16))
    else:
        picture = Image.new("RGB", (80, 60), (2, 2, 2))
        picture = picture.quantize(4) if mode == "P" else picture.convert(mode)
    picture.save(root / "test/Sad/1.png", "JPEG" if mode == "CMYK" else "PNG")
    found, broken = look(root, KnownFaces())
    assert broken == {}
    assert (found["test/Sad/1.png"].width, found["test/Sad/1.png"].height) == (80, 60)
    expected = 0 if mode == "1" else 2
    assert found["test/Sad/1.png"].faces == FACES[:expected]


def test_a_turned_photo_is_seen_as_the_reader_of_the_box_file_will(caer: Write) -> None:
    root = caer({"test/Sad/0.png": 0})
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (80, 60), (1, 1, 1)).save(root / "test/Sad/1.jpg", exif=exif, quality=100)
    Image.new("RGB", (80, 60), (1, 1, 1)).save(root / "test/Sad/2.png", exif=exif)
    found, _ = look(root, KnownFaces())
    sizes = [(found[f"test/Sad/{name}"].width, found[f"test/Sad/{name}"].height) for name in ("1.jpg", "2.png")]
    assert sizes == [(60, 80), (80, 60)]
