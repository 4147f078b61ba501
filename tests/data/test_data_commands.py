"""What ``dsct data`` writes never takes the place of what is there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dsct_detrex.data.synthetic import SyntheticScenes
from dsct_detrex.data.synthetic.writer import write_dataset
from dsct_detrex.errors import UserError
from tests.commands import data as main

GENERATE = ["generate", "--train", "2", "--val", "1", "--test", "1", "--size", "64", "48", "--format"]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("format", ["emotic", "caer_s"])
@pytest.mark.parametrize(
    "name", ["holiday.jpg", "emotic_train_bi.json", "train.txt", ".hidden", "train/Anger/0001.png", "empty folder/"]
)
def test_generate_refuses_a_folder_with_content(
    format: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine" / name
    path.parent.mkdir(parents=True)
    path.mkdir() if name.endswith("/") else path.write_bytes(b"precious")
    before = contents(tmp_path)
    assert main([*GENERATE, format, "--out", str(tmp_path / "mine")]) == 2
    said = capsys.readouterr().err
    assert f"{tmp_path / 'mine'} is not empty: {name.split('/')[0]} is there. Choose a new folder, or give" in said
    assert "--overwrite: that replaces the files of the same names and leaves all others as they are." in said
    assert said.count("\n") == 1
    assert contents(tmp_path) == before


@pytest.mark.parametrize("format", ["emotic", "caer_s", "expw"])
def test_what_the_same_command_left_unfinished_is_gone_on_with(
    format: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    assert main([*GENERATE, format, "--out", str(whole)]) == 0
    drawn, draw = [], SyntheticScenes.load_image

    def twice(scenes: SyntheticScenes, index: int) -> object:
        drawn.append(index)
        if len(drawn) == 3:
            raise KeyboardInterrupt
        return draw(scenes, index)

    monkeypatch.setattr(SyntheticScenes, "load_image", twice)
    assert main([*GENERATE, format, "--out", str(stopped)]) == 130
    assert capsys.readouterr().err == "Interrupted; no file is half-written, and the same command begins anew.\n"
    assert main([*GENERATE, format, "--seed", "7", "--out", str(stopped)]) == 2
    assert "is not empty" in capsys.readouterr().err
    assert main([*GENERATE, format, "--out", str(stopped)]) == 0
    ours, theirs = contents(stopped), contents(whole)
    assert ours.keys() == theirs.keys()
    for name in ours:
        dated = 128 if name.endswith(".mat") else 0  # bytes that say when it was written
        assert ours[name][dated:] == theirs[name][dated:], name
    assert main([*GENERATE, format, "--out", str(stopped)]) == 2, "now it is finished"


def test_generate_does_what_it_is_told(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    assert main([*GENERATE, "caer_s", "--out", str(mine)]) == 0, "an empty folder has nothing to lose"
    (mine / "holiday.jpg").write_bytes(b"precious")
    (mine / "train.txt").write_bytes(b"old")
    assert main([*GENERATE, "caer_s", "--out", str(mine)]) == 2
    assert main([*GENERATE, "caer_s", "--out", str(mine), "--force"]) == 0
    assert (mine / "holiday.jpg").read_bytes() == b"precious"
    assert (mine / "train.txt").read_bytes() != b"old"


def test_generate_into_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").write_text("a file")
    assert main([*GENERATE, "emotic", "--out", str(tmp_path / "mine"), "--overwrite"]) == 2
    assert "is a file, no folder to write a data set into" in capsys.readouterr().err
    with pytest.raises(UserError, match=r"is not empty: mine is there\. Choose a new folder, or pass overwrite=True"):
        write_dataset("emotic", tmp_path, {"train": 1})


def test_reports_and_galleries_do_not_replace_files(
    make_emotic: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = make_emotic(images=3)
    picture, report = tmp_path / "holiday.png", tmp_path / "report.json"
    for words in (["show", "--out", str(picture)], ["check", "--splits", "train", "--json", str(report)]):
        path = Path(words[-1])
        path.write_bytes(b"precious")
        assert main([*words, "--root", str(root)]) == 2
        assert f"{path} is there already: choose another name, or give --overwrite" in capsys.readouterr().err
        assert path.read_bytes() == b"precious"
        assert main([*words, "--root", str(root), "--overwrite"]) == 0
        assert path.read_bytes() != b"precious"


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (["show", "--out", "{}/nowhere/a.png"], "nowhere is not there. Make it first."),
        (["check", "--json", "{}/nowhere/a.json"], "nowhere is not there. Make it first."),
        (["check", "--json", "{}"], "is a folder: name a file to write."),
    ],
)
def test_where_nothing_can_be_written_is_said_before_the_work(
    command: list[str], sentence: str, make_emotic: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    root = str(make_emotic())
    assert main([command[0], "--root", root, *(part.format(root) for part in command[1:])]) == 2
    out, err = capsys.readouterr()
    assert (out, sentence in err) == ("", True)


@pytest.mark.parametrize("command", [["check", "--threads"], ["show", "--out", "a.png", "--images"]])
@pytest.mark.parametrize("value", ["0", "-3", "1.5", "many"])
def test_numbers_of_flags_are_checked(command: list[str], value: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command[0], "--root", ".", *command[1:], value]) == 2
    assert f"{command[-1]} expects a whole number of at least 1. Got {value}." in capsys.readouterr().err
