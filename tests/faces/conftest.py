"""A detector that knows what it will find, and small downloads for it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from dsct_detrex.cli.data import build_parser
from dsct_detrex.faces import command_line
from dsct_detrex.faces.detector import Face

SIZE = (80, 60)
FACES = (
    Face((5.4, 4.6, 25.2, 29.5), 0.99),
    Face((30, 5, 70, 50), 0.95),
    Face((-8.0, 40.0, 12.0, 75.0), 0.93),
    Face((60.0, 1.0, 79.0, 20.0), 0.5),
)
"""What a picture with so many faces holds, in this order; the last is below the usual ``min_score``."""


class KnownFaces:
    """Finds as many of ``FACES`` as the red value of the picture's first pixel says; ``seen`` counts its pictures."""

    name = "KnownFaces 1.0"
    usual_score = 0.9

    def __init__(self, min_size: int = 10) -> None:
        self.min_size = min_size
        self.seen = 0

    def find(self, picture: Image.Image) -> list[Face]:
        assert picture.mode == "RGB"
        self.seen += 1
        pixel = picture.getpixel((0, 0))
        assert isinstance(pixel, tuple)
        return list(FACES[: pixel[0]])


@pytest.fixture
def detector(monkeypatch: pytest.MonkeyPatch) -> KnownFaces:
    """The detector of every command in this test."""
    known = KnownFaces()
    monkeypatch.setattr(command_line, "_detector", lambda options: known)
    return known


@pytest.fixture
def caer(tmp_path: Path) -> Callable[[dict[str, int | bytes]], Path]:
    """Write a download: path below the root -> how many faces the picture has, or its bytes."""

    def write(pictures: dict[str, int | bytes]) -> Path:
        root = tmp_path / "caer"
        for name, content in pictures.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                path.write_bytes(content)
            else:
                Image.new("RGB", SIZE, (content, 90, 160)).save(path)
        return root

    return write


def find_boxes(root: Path, **asked: object) -> int:
    """The command with the defaults of its flags."""
    options = build_parser().read(["boxes", "--format", "caer_s", "--root", str(root), "--jobs", "2"])
    return command_line.make_boxes(argparse.Namespace(**{**vars(options), **asked}))
