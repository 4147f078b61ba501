"""Every kind of word on the command line, good and bad: what is worked on, what is a row, what is refused."""

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dsct_detrex.errors import UserError
from dsct_detrex.prediction.sources.contract import Search
from dsct_detrex.prediction.sources.discovery import kinds, name_units
from dsct_detrex.structures import CAER_S
from tests.prediction.finds import finder
from tests.prediction.stubs import files, picture, predict, rows, use

LATIN = os.fsdecode(b"photos/latin\xe9.png")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``photos`` with ``a.png`` and ``b.png``, two more in folders below."""
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(("a.png", "b.png", "day/c.png", "day/deep/d.png")):
        picture(f"photos/{name}", seed)
    use(finder(CAER_S), monkeypatch)


def named(*words: str, recursive: bool = False) -> list[str]:
    search = Search(recursive)
    found = name_units(words, search)
    return [unit.path.as_posix() for unit in (*found.known, *found.live)]


def text_file(name: str, content: bytes) -> None:
    Path(name).write_bytes(content)


BOTH = ["photos/a.png", "photos/b.png"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"photos/a.png\nphotos/b.png\n", BOTH),
        (b"photos/a.png\nphotos/b.png", BOTH),
        (b"photos/a.png\r\nphotos/b.png\r\n", BOTH),
        (b"\n\r\n  \nphotos/a.png\n\n\nphotos/b.png\n\n", BOTH),
        (b"\xef\xbb\xbfphotos/a.png\nphotos/b.png\n", BOTH),
        (b"photos/a.png\0photos/b.png\0", BOTH),
        (b"photos/a.png\nphotos/b.png\nphotos/a.png\n./photos/a.png\nphotos/../photos/b.png\n", BOTH),
        (b"photos/b.png\nphotos/a.png\n", BOTH[::-1]),
        (b"photos/new\nline.png\0photos/a.png", ["photos/new\nline.png", "photos/a.png"]),
        (b"photos/latin\xe9.png\n", [LATIN]),
        (b"photos/a.png\nphotos/gone.png\n", ["photos/a.png", "photos/gone.png"]),
        (b"photos\n", BOTH),
        (b"photos/a.png\nclip.mp4\n", ["photos/a.png", "clip.mp4"]),
    ],
)
@pytest.mark.parametrize("way", ["@list", "list.txt", "-"])
def test_a_list_and_standard_input_name_the_same(
    way: str, content: bytes, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text_file(way.removeprefix("@"), content) if way != "-" else give_input(content, monkeypatch)
    assert named(way) == expected


def give_input(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def test_lines_of_a_pipe_are_taken_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second line is written only after the first unit is there: whoever waits for the end waits for ever."""
    end, start = os.pipe()
    os.write(start, b"photos/a.png\n")
    with os.fdopen(end, "rb") as reader:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(reader))
        live = name_units(["-"], Search()).live
        assert next(live).path == Path("photos/a.png")
        os.write(start, b"photos/b.png")
        os.close(start)
        assert [unit.path.name for unit in live] == ["b.png"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["photos"], BOTH),
        (["photos/*.png"], BOTH),
        (["photos/[b-z].png"], BOTH[1:]),
        (["photos/**/*.png"], [*BOTH, "photos/day/c.png", "photos/day/deep/d.png"]),
        (["photos/*/*.png", "photos/*"], ["photos/day/c.png", *BOTH]),
        (["photos/b.png", "photos"], BOTH[::-1]),
        (["photos", "photos/a.png", "./photos"], BOTH),
        (["photos/day", "photos"], ["photos/day/c.png", *BOTH]),
    ],
)
def test_folders_patterns_and_files(words: list[str], expected: list[str]) -> None:
    assert named(*words) == expected


def test_folders_below_are_searched_on_request_and_counted_else(capsys: pytest.CaptureFixture[str]) -> None:
    everything = [*BOTH, "photos/day/c.png", "photos/day/deep/d.png"]
    assert named("photos", recursive=True) == everything
    assert predict("photos", "--out", "out") == 0
    assert files() == BOTH
    assert "left out: 2 pictures in folders below (--recursive takes them too)" in capsys.readouterr().out
    assert predict("photos", "--out", "out", "--recursive") == 0
    assert files() == everything
    assert "left out" not in capsys.readouterr().out
    assert Path("out/day/deep/d.png").is_file()


def test_a_picture_named_like_a_pattern_or_a_list_is_a_picture() -> None:
    for name in ("[1].png", "@a.png", "webcam"):
        picture("photos/x.png").rename(name)
        assert named(name) == [name]


REFUSED: list[tuple[Callable[[], None], list[str], str]] = [
    (lambda: text_file("empty.txt", b""), ["empty.txt"], "the list empty.txt names no picture; it should have a path"),
    (lambda: text_file("blank", b"\r\n\n"), ["@blank"], "the list blank names no picture"),
    (lambda: None, ["@gone"], "the list gone cannot be read (No such file or directory)"),
    (lambda: None, ["gone.txt"], "gone.txt is neither a file nor a folder"),
    (lambda: text_file("w.txt", "photos/a.png\n".encode("utf-16")), ["w.txt"], "the list w.txt is UTF-16; save it as"),
    (
        lambda: text_file("photos/l.txt", b"a.png\n"),
        ["photos/l.txt"],
        "names a.png, which lies beside the list and not",
    ),
    (lambda: None, ["photos/*.jpg"], "nothing is called like photos/*.jpg; check the pattern"),
    (lambda: os.makedirs("only/below"), ["only"], "no picture in only."),
    (lambda: picture("only/below/a.png") and None, ["only"], "Left out: 1 picture in folders below (--recursive takes"),
    (lambda: None, ["clip.mp4"], "clip.mp4 is neither a file nor a folder"),
]


@pytest.mark.parametrize(("make", "words", "message"), REFUSED)
def test_what_names_nothing_is_one_sentence(
    make: Callable[[], None], words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make()
    assert predict(*words, "--out", "out") == 2
    said = capsys.readouterr().err
    assert message in said
    assert len(said.splitlines()) == 1
    assert not Path("out").exists()


def test_standard_input_without_names_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    give_input(b"\n\r\n", monkeypatch)
    assert predict("-", "--out", "out") == 2
    assert "standard input names no picture" in capsys.readouterr().err


@pytest.mark.parametrize("way", ["list.txt", "-"])
def test_what_is_wrong_with_one_path_of_a_list_is_a_row(
    way: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text_file("photos/broken.png", b"no picture")
    picture("photos/ok.png").rename(LATIN)
    content = b"photos/gone.png\nphotos/a.png\r\nphotos/broken.png\n" + os.fsencode(LATIN) + b"\nphotos/a.png\n"
    text_file("list.txt", content) if way != "-" else give_input(content, monkeypatch)
    assert predict(way, "--out", "out", "--batch-size", "3") == 1
    assert files() == ["photos/gone.png", "photos/a.png", "photos/broken.png", LATIN]
    assert ["error" in row for row in rows()] == [True, False, True, False]
    assert "photos/gone.png is not there" in rows()[0]["error"]
    assert all(Path("out", row["drawn"]).is_file() for row in rows() if "drawn" in row)
    assert "2 of 4 pictures could not be read" in capsys.readouterr().err


def test_what_comes_while_it_runs_meets_nothing_of_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pictures lie where their drawn copies would: each goes to ``predictions/``, numbered where two would meet."""
    before = {path: path.read_bytes() for path in Path("photos").rglob("*.png")}
    give_input(b"photos/a.png\n../" + os.fsencode(Path.cwd().name) + b"/photos/b.png\nphotos/day/c.png\n", monkeypatch)
    assert predict("-", "--out", ".") == 0
    drawn = [row["drawn"] for row in rows(".")]
    assert drawn[0] == "predictions/photos/a.png"
    assert len(set(drawn)) == 3
    assert all(Path(name).is_file() for name in drawn)
    assert {path: path.read_bytes() for path in before} == before


def test_every_kind_is_asked_and_the_last_takes_all() -> None:
    orders = [kind.ORDER for kind in kinds()]
    assert orders == sorted(set(orders))
    assert kinds()[-1].recognises("anything")
    assert not any(kind.recognises("anything") for kind in kinds()[:-1])


def test_a_camera_that_is_not_there_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("av")
    assert predict("webcam:93", "--out", "out") == 2
    said = capsys.readouterr().err
    assert "predict: webcam:93 cannot be opened (" in said
    assert "webcam:94 for example" in said


def test_a_pattern_leaves_out_what_is_no_picture() -> None:
    text_file("photos/notes.md", b"x")
    search = Search()
    assert len(name_units(["photos/*"], search).known) == 2
    assert search.left_out.sentence() == "1 folder that a pattern names (day), 1 other file (.md)"
    with pytest.raises(UserError, match=r"no picture in photos/\*\.md\. Left out: 1 other file"):
        name_units(["photos/*.md"], Search())
