"""What a command says and returns when something goes wrong."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from omegaconf.errors import InterpolationKeyError

from dsct_detrex.cli import running
from dsct_detrex.cli.running import guarded
from dsct_detrex.errors import Interrupted, UserError


def failing(error: BaseException) -> int:
    raise error


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (UserError("No."), 2, "error: No."),
        (InterpolationKeyError("no key"), 2, "error: config: no key"),
        (FileNotFoundError(2, "No such file or directory", "a.json"), 2, "error: a.json: No such file or directory."),
        (
            ModuleNotFoundError("", name="torch.nn"),
            2,
            f"error: the package torch is not installed for {sys.executable}: ",
        ),
        (ModuleNotFoundError("", name="PIL"), 2, "error: the package pillow is not installed for "),
        (Interrupted(7, "last.pth"), 130, "Interrupted after iteration 7; saved last.pth. Continue with: dsct again"),
        (Interrupted(7, None), 130, "Interrupted after iteration 7; this run keeps no checkpoint to go on from.\n"),
        (Interrupted(7, None, 7), 130, "Interrupted after iteration 7; no checkpoint had been saved yet.\n"),
        (
            Interrupted(7, "last.pth", 2, 15),
            143,
            "Interrupted after iteration 7; saved last.pth as of iteration 5, for it was asked twice. Continue with: ",
        ),
        (KeyboardInterrupt(), 130, "Interrupted; nothing was written.\n"),
    ],
)
def test_sentences(error: BaseException, status: int, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(lambda: failing(error), lambda: "dsct again") == status
    said = capsys.readouterr().err
    assert said.startswith(sentence)
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "error",
    [KeyError("a bug"), ModuleNotFoundError("", name="my_module"), OSError("a bug"), BlockingIOError(11, "a bug")],
)
def test_bugs_keep_their_traceback(error: BaseException) -> None:
    with pytest.raises(type(error)):
        guarded(lambda: failing(error))


def test_other_ranks_say_who_they_are(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> int:
        raise UserError("No.")

    monkeypatch.setenv("RANK", "3")
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert guarded(fail) == 2
    assert capsys.readouterr().err == "[rank 3] error: No.\n"


@pytest.mark.parametrize(("tell", "lines"), [("print", 1), ("print", 10_000), ("Console().print", 300)])
def test_a_reader_who_leaves_ends_a_command_without_a_traceback(tell: str, lines: int) -> None:
    """``... --dry-run | head``."""
    code = f"""
import sys
from rich.console import Console
from dsct_detrex.cli.running import guarded
sys.stdin.read()
sys.exit(guarded(lambda: [{tell}("x" * 99) for _ in range({lines})] and 0))
"""
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen([sys.executable, "-c", code], env=buffered, **pipes) as process:
        assert process.stdout is not None
        process.stdout.close()
        _, said = process.communicate(timeout=60)
    assert (process.returncode, said.decode()) == (141, "")


def test_every_package_that_is_needed_is_known_by_name() -> None:
    toml = pytest.importorskip("tomllib", reason="Python 3.10 has none")
    project = toml.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    needed = {re.split("[<>=]", requirement)[0] for requirement in project["dependencies"]}
    assert needed <= set(running._NEEDED.values())
