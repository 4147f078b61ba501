"""Names of pictures that another system wrote; nothing is guessed."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from dsct_detrex.data.picture_names import PictureNames, parts_of


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("a/b.jpg", ("a", "b.jpg")),
        ("./a//b.jpg ", ("a", "b.jpg")),
        ("a\\b.jpg", ("a", "b.jpg")),
        ("C:\\a\\b.jpg", ("C:", "a", "b.jpg")),
        ("/a/b.jpg", ("/", "a", "b.jpg")),
    ],
)
def test_parts(name: str, parts: tuple[str, ...]) -> None:
    assert parts_of(name) == parts


@pytest.mark.parametrize(
    ("on_disk", "asked", "found"),
    [
        (["a.jpg"], "a.jpg", "a.jpg"),
        (["UPPER.JPG"], "upper.jpg", "UPPER.JPG"),
        ([unicodedata.normalize("NFD", "fête.jpg")], "fête.jpg", unicodedata.normalize("NFD", "fête.jpg")),
        (["a b.jpg"], "a%20b.jpg", "a b.jpg"),
        (["a%20b.jpg", "a b.jpg"], "a%20b.jpg", "a%20b.jpg"),
        (["A.jpg", "a.JPG"], "a.jpg", None),
        (["A.jpg", "a.jpg"], "a.jpg", "a.jpg"),
        (["fete.jpg"], "fête.jpg", None),
        ([], "a.jpg", None),
    ],
)
def test_alike(on_disk: list[str], asked: str, found: str | None, tmp_path: Path) -> None:
    (tmp_path / "Folder").mkdir()
    for name in on_disk:
        (tmp_path / "Folder" / name).touch()
    expected = None if found is None else tmp_path / "Folder" / found
    assert PictureNames().alike(tmp_path, ("folder", asked)) == expected
    assert PictureNames().exact(tmp_path, ("Folder", asked)) == (expected if asked in on_disk else None)
