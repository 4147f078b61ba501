"""``log.txt``: with times, without control characters, added to, and never lost on the way."""

import re
from pathlib import Path

import pytest

from dsct_detrex.engine.screen import LogFile
from dsct_detrex.errors import UserError

STAMP = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"


def test_what_is_told_before_the_folder_is_there_waits(tmp_path: Path) -> None:
    log = LogFile()
    log.write("first")
    assert list(tmp_path.iterdir()) == []
    log.open(tmp_path / "run")
    log.write("a table\n  of two lines")
    text = (tmp_path / "run" / "log.txt").read_text()
    assert re.fullmatch(rf"{STAMP}  first\n{STAMP}  a table\n {{19}}    of two lines\n", text)


def test_a_later_run_adds_to_the_file(tmp_path: Path) -> None:
    for word in ("one", "two"):
        log = LogFile()
        log.write(word)
        log.open(tmp_path)
        log.close()
    assert re.fullmatch(rf"{STAMP}  one\n\n{STAMP}  two\n", (tmp_path / "log.txt").read_text())


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("\x1b[31mred\x1b[0m", "red"), ("50 %\r100 %", "50 %100 %"), ("\x1b]8;;link\x1b\\name\x1b]8;;\x1b\\", "name"),
        ("tab\tstays", "tab\tstays"), ("windows\r\nline", "windows\n                     line"), ("bell\a\x00", "bell"),
    ],
)  # fmt: skip
def test_control_characters_do_not_reach_it(written: str, kept: str, tmp_path: Path) -> None:
    log = LogFile()
    log.open(tmp_path)
    log.write(written)
    assert (tmp_path / "log.txt").read_text()[21:] == f"{kept}\n"


def test_another_process_adds_only_why_it_ends(tmp_path: Path) -> None:
    main, other = LogFile(), LogFile("[rank 1] ")
    other.fail("error: too early, the folder is not open.")
    for log in (main, other):
        log.open(tmp_path)
        log.write("told")
    other.fail("error: no memory")
    assert re.fullmatch(rf"{STAMP}  told\n{STAMP}  \[rank 1\] error: no memory\n", (tmp_path / "log.txt").read_text())


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file")
    with pytest.raises(UserError, match=r"train\.output_dir=.*run cannot be written"):
        LogFile().open(tmp_path / "run")
