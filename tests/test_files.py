"""Files that are either the old version or the complete new one."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dsct_detrex import files
from dsct_detrex.files import UNFINISHED, replacing, write_together, write_whole


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_folders_are_made_and_nothing_but_the_file_is_left(tmp_path: Path) -> None:
    place = tmp_path / "new" / "folder" / "a.txt"
    write_whole(place, "ü\n")
    write_whole(place, b"bytes")
    assert place.read_bytes() == b"bytes"
    assert names(place.parent) == ["a.txt"]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt()])
def test_who_fails_leaves_the_old_version_alone(tmp_path: Path, error: BaseException) -> None:
    place, previous = tmp_path / "a.txt", tmp_path / "before.txt"
    write_whole(place, "old")
    with pytest.raises(type(error)), replacing(place, previous) as unfinished:  # noqa: PT012
        unfinished.write_text("half of the n")
        assert unfinished.suffix == ".txt", "writers tell by it what to write"
        raise error
    assert place.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_the_version_before_is_kept_and_at_no_moment_is_there_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, previous = tmp_path / "a.txt", tmp_path / "before.txt"
    replace = os.replace

    def watched(source: Path, target: Path) -> None:
        replace(source, target)
        assert place.exists()

    monkeypatch.setattr(os, "replace", watched)
    for number in range(4):
        with replacing(place, previous) as unfinished:
            unfinished.write_text(str(number))
        assert place.read_text() == str(number)
    assert previous.read_text() == "2"
    assert names(tmp_path) == ["a.txt", "before.txt"]


def test_a_kill_between_the_two_renames_spoils_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then both names are the same file, and names of one file do not replace each other."""
    place, previous = tmp_path / "a.txt", tmp_path / "before.txt"
    place.write_text("good")
    os.link(place, previous)
    with replacing(place, previous) as unfinished:
        unfinished.write_text("new")
    assert (place.read_text(), previous.read_text()) == ("new", "good")
    assert names(tmp_path) == ["a.txt", "before.txt"]


def test_without_second_names_the_version_before_is_kept_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    place, previous = tmp_path / "a.txt", tmp_path / "before.txt"
    for number in range(3):
        with replacing(place, previous) as unfinished:
            unfinished.write_text(str(number))
    assert (place.read_text(), previous.read_text()) == ("2", "1")
    assert names(tmp_path) == ["a.txt", "before.txt"]


def test_file_and_folder_reach_the_disk_in_that_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The content before the name: else a machine that loses power could have the name of an empty file."""
    done: list[str] = []
    replace, sync = os.replace, os.fsync

    def synced(opened: int) -> None:
        kind = "folder" if os.path.isdir(f"/proc/self/fd/{opened}") else "file"
        done.append(f"sync {kind}")
        sync(opened)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", lambda *paths: (done.append("replace"), replace(*paths)))
    write_whole(tmp_path / "a.txt", "a")
    assert done == ["sync file", "replace", "sync folder"]


def test_what_belongs_together_is_whole_before_the_first_is_there(tmp_path: Path) -> None:
    pieces = {tmp_path / "a.json": "{}", tmp_path / "b.png": b"png", tmp_path / "c" / "d.md": "# d"}
    write_together(pieces)
    assert [path.read_bytes() for path in pieces] == [b"{}", b"png", b"# d"]
    (tmp_path / "e").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_together({tmp_path / "a.json": "[1]", tmp_path / "e": ""})


def test_a_name_may_be_as_long_as_names_can_be(tmp_path: Path) -> None:
    write_whole(tmp_path / f"{'x' * 251}.txt", "long")
    write_whole(tmp_path / f"x.{'y' * 253}", "long suffix")
    assert len(names(tmp_path)) == 2


def test_what_a_killed_process_left_is_removed_by_the_next_and_what_others_write_is_not(tmp_path: Path) -> None:
    def die() -> None:
        with replacing(tmp_path / "a.txt") as unfinished:
            unfinished.write_text("half")
            os.kill(os.getpid(), signal.SIGKILL)

    child = multiprocessing.get_context("fork").Process(target=die)
    child.start()
    child.join()
    (left,) = names(tmp_path)
    assert left.startswith(UNFINISHED)
    others = [
        left.replace(f"-{child.pid}-", "-1-"),  # a process that is at work
        left.replace(files._host(), "elsewhere"),  # of another machine
        f"{UNFINISHED}-2",  # of a shard of dsct predict
        "my.txt",
    ]
    for name in others:
        (tmp_path / name).write_text("theirs")
    files.tidy.cache_clear()
    write_whole(tmp_path / "b.txt", "b")
    assert names(tmp_path) == sorted([*others, "b.txt"])


def test_a_folder_that_is_kept_aside_leaves_behind_what_a_killed_process_began(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for folder in ("report", "report/deep"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.png").write_text("a")
        (tmp_path / folder / f"{UNFINISHED}-{files._host()}-{ended.pid}-abc-0.png").write_text("half")
    files.move_aside(tmp_path / "report", tmp_path / "report_1")
    assert [path.name for path in sorted(tmp_path.rglob("*")) if path.is_file()] == ["a.png", "a.png"]
    assert (tmp_path / "report_1" / "deep").is_dir()


@pytest.mark.parametrize("name", [".", "folder"])
def test_a_folder_is_refused_before_anything_is_written(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        write_whole(Path(name), "text")
    assert names(tmp_path) == ["folder"]
