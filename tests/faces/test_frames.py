"""Which pictures of a download are looked at, and which become validation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dsct_detrex.errors import UserError
from dsct_detrex.faces.frames import frames_of, with_validation

Write = Callable[[dict[str, "int | bytes"]], Path]

KEPT = "test Fear test/Fear/9.png"
LAYOUTS: dict[str, tuple[list[str], list[str], str]] = {
    "the download": (
        ["train/Anger/0001.png", "test/Sad/0002.png"],
        ["train Anger train/Anger/0001.png", "test Sad test/Sad/0002.png"],
        "",
    ),
    "another spelling of a class": (["train/Angry/0001.png"], ["train Anger train/Angry/0001.png"], ""),
    "its own val": (
        ["val/Happy/1.jpg", "train/Happy/1.jpg"],
        ["train Happy train/Happy/1.jpg", "val Happy val/Happy/1.jpg"],
        "",
    ),
    "numbers without zeros": (["test/Fear/10.png", "test/Fear/9.png"], [KEPT, "test Fear test/Fear/10.png"], ""),
    "hidden files": (["test/Fear/._9.png", "test/.x/1.png", "test/__MACOSX/1.png", "test/Fear/9.png"], [KEPT], ""),
    "a stranger's class": (["test/Contempt/1.png", "test/Fear/9.png"], [KEPT], "'test/Contempt'"),
    "one folder too deep": (["test/Fear/clip/1.png", "test/Fear/9.png"], [KEPT], "'test/Fear/clip'"),
    "no picture": (["test/Fear/notes.txt", "test/Fear/9.png"], [KEPT], "'test/Fear/notes.txt'"),
    "a name of two lines": (["test/Fear/a\nb.png", "test/Fear/9.png"], [KEPT], r"'test/Fear/a\nb.png'"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(layout: str, caer: Write) -> None:
    files, expected, note = LAYOUTS[layout]
    frames, notes = frames_of(caer(dict.fromkeys(files, b"")))
    assert [f"{frame.split} {frame.label} {frame.path}" for frame in frames] == expected
    assert all(frame.file.is_file() for frame in frames)
    assert notes == ([f"passed over, being no pictures in class folders: {note}"] if note else [])


def test_many_strangers_are_counted(caer: Write) -> None:
    _, notes = frames_of(caer({f"test/Fear/{n}.txt": b"" for n in range(5)} | {"test/Fear/1.png": b""}))
    assert notes[0].endswith("'test/Fear/0.txt', 'test/Fear/1.txt', 'test/Fear/2.txt' and 2 more")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (["train/Anger/1.png", "train/Angry/1.png"], r"train has two folders of Anger: Anger and Angry\. Put"),
        (["train/Contempt/1.png"], r"no pictures in class folders under .*Expected e\.g\. .*train/Anger/0001\.png"),
    ],
)
def test_refused(files: list[str], words: str, caer: Write) -> None:
    with pytest.raises(UserError, match=words):
        frames_of(caer(dict.fromkeys(files, b"")))


@pytest.mark.parametrize(
    ("pictures", "share", "taken"),
    [(10, 0.1, 1), (10, 0.0, 0), (100, 0.07, 7), (5, 0.1, 1), (1, 0.1, 0), (2, 0.9, 1), (10, 0.25, 3)],
)
def test_validation_is_the_end_of_a_class(pictures: int, share: float, taken: int, caer: Write) -> None:
    files = [f"{split}/Sad/{n}.png" for split in ("train", "test") for n in range(1, pictures + 1)]
    frames = with_validation(frames_of(caer(dict.fromkeys(files, b"")))[0], share)
    last = [f"train/Sad/{n}.png" for n in range(pictures - taken + 1, pictures + 1)]
    assert [frame.path for frame in frames if frame.split == "val"] == last
    assert sum(frame.split == "train" for frame in frames) == pictures - taken
    assert sum(frame.split == "test" for frame in frames) == pictures
