"""What was found is kept at once, and known again by the next search of the same kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from dsct_detrex.errors import UserError
from dsct_detrex.faces.frames import Frame
from dsct_detrex.faces.journal import Found, Journal
from tests.faces.conftest import FACES, KnownFaces

FOUND = Found(80, 60, FACES[:2])


@pytest.fixture
def frame(tmp_path: Path) -> Frame:
    file = tmp_path / "1.png"
    file.write_bytes(b"12345")
    return Frame("train", "train/Ärger, 1/0001.png", "Anger", file)


@pytest.fixture
def path(tmp_path: Path, frame: Frame) -> Path:
    """A journal with one picture."""
    with Journal(tmp_path / "faces.jsonl", KnownFaces()) as journal:
        journal.add(frame, FOUND)
        assert (tmp_path / "faces.jsonl").read_text().endswith("}\n"), "before the search has ended"
    return tmp_path / "faces.jsonl"


def test_it_is_known_again(path: Path, frame: Frame) -> None:
    assert Journal(path, KnownFaces()).get(frame) == FOUND


def test_another_file_of_that_name_is_not(path: Path, frame: Frame) -> None:
    frame.file.write_bytes(b"another")
    assert Journal(path, KnownFaces()).get(frame) is None


def test_a_line_cut_short_costs_one_picture(path: Path, frame: Frame) -> None:
    other = Frame("train", "train/Anger/0002.png", "Anger", frame.file)
    whole = path.read_text()
    path.write_text(whole + '{"picture": "train/Anger/0002.png", "bytes": 5, "si')
    with Journal(path, KnownFaces()) as journal:
        assert (journal.get(frame), journal.get(other)) == (FOUND, None)
        journal.add(other, FOUND)
    journal = Journal(path, KnownFaces())
    assert (journal.get(frame), journal.get(other)) == (FOUND, FOUND)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"detector": "Another", "min_size": 10}\n', "has the faces that Another with --min-size 10 found; asked for"),
        ('{"detector": "KnownFaces 1.0", "min_size": 40}\n', "with --min-size 40 found; asked for is .* --min-size 10"),
        ("my notes\n", "does not hold faces that were found"),
        ("[1]\n", "does not hold faces that were found"),
    ],
)
def test_the_file_of_another_stays(content: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "faces.jsonl"
    path.write_text(content)
    with pytest.raises(UserError, match=words):
        Journal(path, KnownFaces())
    assert path.read_text() == content


def test_overwrite_looks_again(path: Path, frame: Frame) -> None:
    with Journal(path, KnownFaces(min_size=20), overwrite=True) as journal:
        assert journal.get(frame) is None
    assert path.read_text() == '{"detector": "KnownFaces 1.0", "min_size": 20}\n'


def test_overwrite_keeps_what_the_same_search_found(path: Path, frame: Frame) -> None:
    assert Journal(path, KnownFaces(), overwrite=True).get(frame) == FOUND
