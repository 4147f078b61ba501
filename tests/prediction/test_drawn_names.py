"""Names of drawn copies: the tree and the suffix stay, and no two meet on any file system."""

import os
from pathlib import Path

import pytest

from dsct_detrex.prediction.drawn_names import drawn_names
from dsct_detrex.prediction.pictures import Found


def of_folder(folder: str, *names: str) -> list[Found]:
    return [Found(Path(folder, name), Path(folder)) for name in names]


def of_files(*paths: str) -> list[Found]:
    return [Found(Path(path), Path(path).parent) for path in paths]


def named(pictures: list[Found]) -> list[str]:
    return [name.as_posix() for name in drawn_names(pictures)]


@pytest.mark.parametrize(
    ("pictures", "expected"),
    [
        (of_folder("t", "setA/cam/day1/a.jpg", "setB/cam/day1/a.jpg"), ["setA/cam/day1/a.jpg", "setB/cam/day1/a.jpg"]),
        (of_folder("t", "b.jpg", "b.png", "b.webp"), ["b.jpg", "b.png", "b.webp"]),
        (of_folder("setA", "a.jpg") + of_folder("setB", "a.jpg"), ["setA/a.jpg", "setB/a.jpg"]),
        (of_files("setA/a.jpg", "setB/a.jpg"), ["setA/a.jpg", "setB/a.jpg"]),
        (of_files("x/cam/a.jpg", "y/cam/a.jpg"), ["x/cam/a.jpg", "y/cam/a.jpg"]),
        (of_folder("photos", "day1/a.jpg") + of_files("b.jpg"), ["day1/a.jpg", "b.jpg"]),
        (of_folder("p", "A.jpg", "a.jpg"), ["A.jpg", "a.2.jpg"]),
        (of_folder("p", "Stra\u00dfe.jpg", "STRASSE.jpg"), ["Stra\u00dfe.jpg", "STRASSE.2.jpg"]),
        (of_folder("p", "caf\u00e9.jpg", "cafe\u0301.jpg"), ["caf\u00e9.jpg", "cafe\u0301.2.jpg"]),
        (of_folder("p", "Day/a.jpg", "day/a.jpg"), ["Day/a.jpg", "day/a.2.jpg"]),
        (of_folder("p", "a.heic", "a.gif", "a.jp2"), ["a.heic.png", "a.gif.png", "a.jp2.png"]),
        (of_folder("p", "a.gif", "a.gif.png"), ["a.gif.png", "a.gif.2.png"]),
        (of_folder("p", "a.jpg", "a.jpg.png", "a.JPG"), ["a.jpg", "a.jpg.png", "a.2.JPG"]),
        (of_folder("p", "a.jpg", "A.jpg", "a.2.jpg"), ["a.jpg", "A.2.jpg", "a.2.2.jpg"]),
        (of_folder("p", "album.jpg/in.png") + of_files("q/album.jpg"), ["p/album.jpg/in.png", "q/album.jpg"]),
        (of_files("notes.txt", "noext"), ["notes.txt.png", "noext.png"]),
        (of_folder(".", "a.jpg") + of_folder("..", "a.jpg"), None),
    ],
)
def test_the_tree_and_the_suffix_stay_and_none_meet(pictures: list[Found], expected: list[str] | None) -> None:
    found = named(pictures)
    assert len({name.casefold() for name in found}) == len(pictures)
    assert expected is None or found == expected
    assert named(pictures) == found


@pytest.mark.parametrize("name", ["x" * 251 + ".jpg", "x" * 251 + ".gif", "\u00e9" * 125 + ".heic"])
def test_long_names_fit_a_file_system(name: str) -> None:
    (short,) = drawn_names(of_folder("p", name))
    assert len(os.fsencode(short.name)) <= 255
    assert len(set(named(of_folder("p", "y" + name[1:], "z" + name[1:])))) == 2


def test_nothing_leaves_the_folder_of_the_results() -> None:
    for pictures in (
        of_files("../a.jpg", "/a.jpg", "../../b/a.jpg"),
        of_folder("../x", "a.jpg") + of_folder("/", "a.jpg"),
    ):
        assert all(not name.is_absolute() and ".." not in name.parts for name in drawn_names(pictures))
