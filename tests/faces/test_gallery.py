"""The sheet that is looked over before the boxes are used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PIL import Image

from dsct_detrex.faces.frames import frames_of
from dsct_detrex.faces.gallery import gallery
from dsct_detrex.faces.journal import Journal
from dsct_detrex.faces.outcome import Outcome, outcome_of
from dsct_detrex.faces.search import search
from dsct_detrex.visualization.style import PEOPLE_COLORS
from tests.faces.conftest import KnownFaces

Write = Callable[[dict[str, "int | bytes"]], Path]


def sheet(root: Path) -> Image.Image:
    frames, detector = frames_of(root)[0], KnownFaces()
    with Journal(root / "faces.jsonl", detector) as journal:
        found, broken = search(frames, detector, journal, 1)
    drawn = gallery(outcome_of(frames, found, broken, 0.9, "largest"))
    assert drawn is not None
    return drawn


def pixels(image: Image.Image, color: str) -> int:
    wanted = tuple(bytes.fromhex(color[1:]))
    return sum(number for number, seen in image.getcolors(image.width * image.height) or () if seen == wanted)


def test_each_kind_has_its_row_of_at_most_four(caer: Write) -> None:
    one = sheet(caer({"test/Sad/1.png": 1}))
    assert pixels(one, PEOPLE_COLORS[0]) > 100, "the face that is written"
    several = sheet(caer({f"test/Sad/{n}.png": 3 for n in range(1, 10)}))
    assert several.width > 3.5 * one.width
    three = sheet(caer({"test/Sad/1.png": 1, "test/Sad/2.png": 0}))
    assert three.height == 3 * one.height


def test_of_nothing_there_is_no_sheet() -> None:
    assert gallery(Outcome()) is None
