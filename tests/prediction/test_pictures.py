"""Folders as they come from phones, sticks and disks: pictures are found, and what is left out is counted by kind."""

import os
import socket
from pathlib import Path

import pytest
from PIL import Image

from dsct_detrex.errors import UserError
from dsct_detrex.prediction.kinds import LeftOut
from dsct_detrex.prediction.pictures import find_pictures


def picture(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 6), "red").save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``photos`` with ``IMG_1.JPG`` and ``ok.png``, seen from the folder that it is in."""
    monkeypatch.chdir(tmp_path)
    for name in ("IMG_1.JPG", "ok.png"):
        picture(tmp_path / "photos" / name)
    return Path("photos")


def names(*inputs: str) -> list[str]:
    return [found.path.as_posix() for found in find_pictures(inputs)[0]]


def left_out(*inputs: str) -> str:
    return find_pictures(inputs)[1].sentence()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("._IMG_1.JPG", b"\0\5\x16\7", "1 hidden file"),
        (".DS_Store", b"\0\0\0\1Bud1", "1 hidden file"),
        (".hidden/a.jpg", b"x", "1 hidden folder (.hidden)"),
        ("__MACOSX/._a.jpg", b"x", "1 hidden folder (__MACOSX)"),
        ("Thumbs.db", b"x", "1 other file (.db)"),
        ("desktop.ini", b"x", "1 other file (.ini)"),
        ("IMG_1.JPG.json", b"{}", "1 other file (.json)"),
        ("README", b"x", "1 other file (without suffix)"),
        ("clip.mpg", b"x", "1 video (.mpg)"),
        ("IMG_1.MOV", b"x", "1 video (.mov)"),
        ("features.h5", b"x", "1 other file (.h5)"),
        ("plot.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n", "1 drawing or document (.eps)"),
        ("album.psd", b"x", "1 drawing or document (.psd)"),
        ("IMG_1.CR2", b"x", "1 raw photo (.cr2)"),
        ("IMG_1.dng", b"x", "1 raw photo (.dng)"),
        ("scan.fits", b"x", "1 other file (.fits)"),
        ("empty.jpg", b"", "1 empty file (empty.jpg)"),
    ],
)
def test_what_is_no_picture_is_left_out_and_counted(name: str, content: bytes, sentence: str, folder: Path) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    assert names("photos") == ["photos/IMG_1.JPG", "photos/ok.png"]
    assert left_out("photos") == sentence


def test_what_is_no_file_is_left_out_and_not_waited_for(folder: Path) -> None:
    (folder / "link.jpg").symlink_to("gone.jpg")
    os.mkfifo(folder / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as end:
        end.bind("photos/socket.png")
        assert names("photos") == ["photos/IMG_1.JPG", "photos/ok.png"]
        assert left_out("photos") == "1 broken link (link.jpg), 2 pipes or devices (pipe.jpg, socket.png)"


def test_a_folder_named_like_a_picture_is_searched(folder: Path) -> None:
    picture(folder / "album.jpg" / "in.png")
    assert names("photos") == ["photos/IMG_1.JPG", "photos/album.jpg/in.png", "photos/ok.png"]
    assert left_out("photos") == ""


@pytest.mark.parametrize("suffix", [".heic", ".HEIF", ".hif"])
def test_heic_is_a_picture_where_pillow_heif_is_installed(
    suffix: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / f"a{suffix}").write_bytes(b"x")
    assert f"photos/a{suffix}" in names("photos")
    monkeypatch.setattr("dsct_detrex.prediction.kinds.can_read_heif", lambda: False)
    assert f"photos/a{suffix}" not in names("photos")
    assert left_out("photos") == "1 HEIC picture (to read them: pip install pillow-heif)"


def test_a_kind_without_decoder_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {suffix: form for suffix, form in Image.registered_extensions().items() if suffix != ".avif"}
    monkeypatch.setattr(Image, "registered_extensions", lambda: known)
    (folder / "a.avif").write_bytes(b"x")
    assert left_out("photos") == "1 AVIF picture (this Pillow has no decoder for it)"


def test_every_suffix_that_a_camera_writes_is_found(folder: Path) -> None:
    for name in (
        "a.jpeg",
        "b.jfif",
        "c.webp",
        "d.bmp",
        "e.tif",
        "f.TIFF",
        "g.gif",
        "h.avif",
        "i.jp2",
        "j.mpo",
        "k.Png",
    ):
        (folder / name).write_bytes(b"x")
    assert len(names("photos")) == 13


def test_links_do_not_lead_in_circles_nor_to_a_picture_twice(folder: Path) -> None:
    (folder / "self").symlink_to(".")
    (folder / "up").symlink_to("..")
    (folder / "a_link.png").symlink_to("ok.png")
    picture(Path("elsewhere") / "far.png")
    (Path("elsewhere") / "back").symlink_to("../elsewhere")
    (folder / "linked").symlink_to("../elsewhere")
    found = names("photos")
    assert found == ["photos/IMG_1.JPG", "photos/linked/far.png", "photos/ok.png"]
    said = left_out("photos")
    assert "links to a folder searched anyway (self, " in said
    assert "1 second way to the same picture (a_link.png)" in said


def test_a_linked_folder_outside_is_searched(folder: Path) -> None:
    picture(Path("elsewhere") / "far.png")
    (folder / "linked").symlink_to("../elsewhere")
    assert "photos/linked/far.png" in names("photos")


def test_what_is_named_twice_is_found_once(folder: Path) -> None:
    assert names("photos", "photos/ok.png", "./photos", "photos/../photos/ok.png") == names("photos")
    assert left_out("photos", "photos/ok.png") == ""


def test_a_file_that_is_named_is_tried_whatever_it_is_called(folder: Path) -> None:
    for name in ("._x.jpg", "notes.txt", "noext"):
        (folder / name).write_bytes(b"x")
    given = ["photos/._x.jpg", "photos/notes.txt", "photos/noext"]
    assert names(*given) == given


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("nowhere.jpg", "predict: nowhere.jpg is neither a file nor a folder; check the path."),
        ("*.jpg", "predict: *.jpg is neither a file nor a folder; check the path."),
        ("dangling.jpg", "predict: dangling.jpg is a link to something that is not there; check the path."),
        ("pipe", "predict: pipe is neither a file nor a folder; check the path."),
        ("https://a.org/x.jpg", "predict: https://a.org/x.jpg is an address, and nothing is downloaded here"),
        ("empty", "predict: no picture in empty."),
        ("texts", "predict: no picture in texts. Left out: 1 other file (.txt)."),
        ("a\nb\udcff.jpg", "predict: a?b?.jpg is neither"),
    ],
)
def test_nothing_to_predict_is_one_sentence(given: str, message: str, folder: Path) -> None:
    Path("dangling.jpg").symlink_to("gone.jpg")
    os.mkfifo("pipe")
    Path("empty").mkdir()
    Path("texts").mkdir()
    Path("texts/a.txt").touch()
    with pytest.raises(UserError) as error:
        find_pictures([given])
    assert str(error.value).startswith(message)


def test_a_search_is_said_in_one_line() -> None:
    left = LeftOut()
    assert left.sentence() == ""
    for suffix in (".a", ".b", ".c", ".d", ".d"):
        left.add("other file", suffix)
    left.add("result of an earlier run")
    left.add("result of an earlier run")
    left.add("file that cannot be looked at", "x")
    left.add("file that cannot be looked at", "y")
    assert left.sentence() == (
        "5 other files (.a, .b, .c, ...), 2 results of an earlier run, 2 files that cannot be looked at (x, y)"
    )
