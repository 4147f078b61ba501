"""What is seen at any width, with a terminal and without, and that ``log.txt`` has it all."""

import io
import re
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console as RichConsole
from rich.table import Table

from dsct_detrex.engine.loggers import Record
from dsct_detrex.engine.screen import Console, LogFile, open_terminal
from dsct_detrex.errors import Interrupted, UserError

NUMBERS = {
    "loss_class": 1.5, "loss_class_0": 1.0, "loss_class_enc": 0.5, "loss_bbox": 0.25, "loss_giou": 0.75,
    "total_loss": 3.25, "lr": 1e-4, "time": 0.5, "data_time": 0.01, "grad_norm": 12.0, "eta_seconds": 3725.0,
    "epoch": 0.5, "gpu_mem_mb": 1234.4, "emotion/mAP": 0.3,
}  # fmt: skip
ROWS = [("training", "toy_train: 100 images\nAnger 1, Disgust 2, Fear 3, Happy 4, Neutral 5, Sad 6, Surprise 7")]
NOTE = "note: the first step gave no gradient to 2 trainable weights, which stay as they are: a.weight, b.weight."
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


def drawn(width: int, terminal: bool, log: LogFile | None = None) -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    colours: Any = "standard" if terminal else None
    rich = RichConsole(file=text, force_terminal=terminal, width=width, color_system=colours, legacy_windows=False)
    return Console(rich=rich, log=log), text


def a_whole_run(console: Console) -> None:
    console.block(ROWS)
    console.say(NOTE)
    console.start(0, 90_000)
    console.advance(7, 3725.0)
    console.log(Record(7, NUMBERS))
    console.evaluating(3, 512)
    console.say(NOTE)
    console.evaluating(512, 512)
    console.evaluated()
    console.advance(20, None)
    console.close()
    console.show(Table("metric", "value", title="Result"))


def lines_of(text: str) -> list[str]:
    """What a terminal was sent, line by line, without the sequences that move its cursor."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r", "\n").split("\n")


@pytest.mark.parametrize("width", [40, 60, 80, 120, 190])
def test_nothing_is_wider_than_a_terminal(width: int) -> None:
    console, text = drawn(width, terminal=True)
    a_whole_run(console)
    assert max(len(line) for line in lines_of(text.getvalue())) <= width


@pytest.mark.parametrize(("width", "last"), [(60, "lr 0.0001"), (80, "lr 0.0001  epoch 0.50"), (190, "1234 MB")])
def test_a_bar_has_steps_time_and_as_many_numbers_as_fit(width: int, last: str) -> None:
    console, text = drawn(width, terminal=True)
    console.start(0, 90_000)
    console.advance(7, 3725.0)
    console.log(Record(7, NUMBERS))
    console.close()
    shown = [line.rstrip() for line in lines_of(text.getvalue())]
    (bar,) = {line for line in shown if "7/90000 steps 1:02:05 left" in line}
    assert len(bar) == width, "the bar takes the room that is left"
    assert bar.count("━") == width - len("training   ") - len(" 7/90000 steps 1:02:05 left")
    (numbers,) = {line for line in shown if "loss 3.25" in line}
    assert numbers.startswith("  loss 3.25  class 1.5  bbox 0.25  giou 0.75")
    assert numbers.endswith(last)


def test_an_evaluation_has_its_own_bar_which_goes_again() -> None:
    console, text = drawn(80, terminal=True)
    console.start(0, 10)
    console.evaluating(48, 200)
    console.evaluated()
    assert any("48/200 pictures" in line for line in lines_of(text.getvalue()))
    text.truncate(0)
    console.advance(5, 1.0)
    console.close()
    assert "evaluating" not in text.getvalue()
    assert "5/10 steps" in text.getvalue()


def test_a_request_to_stop_stands_under_the_bar() -> None:
    console, text = drawn(80, terminal=True)
    console.start(0, 10)
    console.log(Record(7, NUMBERS))
    console.stopping()
    text.truncate(0)
    console.advance(5, 1.0)
    console.close()
    assert "stopping after this step  Ctrl-C again stops at once, without saving" in text.getvalue()
    assert "loss" not in text.getvalue()


def test_a_request_to_stop_is_a_line_without_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    console, _ = drawn(80, terminal=False)
    console.stopping()
    assert capfd.readouterr().err == "stopping after this step; Ctrl-C again stops at once, without saving\n"


def test_an_evaluation_alone_has_a_bar_too() -> None:
    console, text = drawn(80, terminal=True)
    console.evaluating(2, 4, "batches")
    console.evaluated()
    assert "2/4 batches" in text.getvalue()
    assert "training" not in text.getvalue()


def test_without_a_terminal_there_are_lines_and_no_control_characters() -> None:
    console, text = drawn(100, terminal=False)
    a_whole_run(console)
    said = text.getvalue()
    assert CONTROL.findall(said.replace("\n", "")) == []
    assert said.startswith("training  toy_train: 100 images\n          Anger 1, Disgust 2")
    assert (
        "iter 7/90000  epoch 0.50  eta 1:02:05  total_loss 3.25  loss_class 1.5  loss_bbox 0.25  loss_giou 0.75  "
        "lr 0.0001  grad_norm 12  time 0.5  data_time 0.01  gpu_mem_mb 1234\n"
    ) in said, "losses of auxiliary layers are left out"
    assert said.count(f"{NOTE}\n") == 2, "one line each, however long"
    assert "evaluating" not in said, "a short one needs no sign of life"


def test_a_long_evaluation_shows_that_it_lives_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    console, text = drawn(100, terminal=False)
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    console.say("begun")
    for done in range(10):
        now = 10.0 * done
        console.evaluating(done, 10)
    assert re.findall(r"evaluating (\d)/10 pictures\n", text.getvalue()) == ["2", "4", "6", "8"]


@pytest.mark.parametrize("variable", [("FORCE_COLOR", "1"), ("TERM", "xterm"), ("TTY_COMPATIBLE", "1")])
def test_no_variable_makes_a_terminal_of_a_pipe(variable: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(*variable)
    text = io.StringIO()
    console = Console(rich=open_terminal(text))
    a_whole_run(console)
    assert "\x1b" not in text.getvalue()


def test_a_terminal_that_cannot_move_its_cursor_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    console, text = drawn(100, terminal=True)
    a_whole_run(console)
    assert re.findall(r"\x1b\[[0-9;?]*[^m0-9;?]", text.getvalue()) == [], "colours at most"
    assert "iter 7/90000" in text.getvalue()


def test_what_others_print_stands_above_the_bar(capsys: pytest.CaptureFixture[str]) -> None:
    console, text = drawn(80, terminal=True)
    console.start(0, 10)
    print("from elsewhere")
    print("a warning", file=sys.stderr)
    console.close()
    assert "from elsewhere\n" in text.getvalue()
    assert "a warning\n" in text.getvalue()
    assert capsys.readouterr() == ("", "")


def test_quiet_shows_nothing_and_logs_all(tmp_path: Path) -> None:
    console, text = drawn(80, terminal=True, log=LogFile())
    console.quiet = True
    assert console.log_file is not None
    console.log_file.open(tmp_path)
    a_whole_run(console)
    assert text.getvalue() == ""
    logged = (tmp_path / "log.txt").read_text()
    assert logged.count(NOTE) == 2
    assert "iter 7/90000" in logged
    assert "training  toy_train: 100 images" in logged


@pytest.mark.parametrize(
    ("error", "logged"),
    [
        (UserError("No such folder."), "error: No such folder.\n"),
        (Interrupted(5, "run/last.pth"), "interrupted after iteration 5; saved run/last.pth\n"),
        (KeyboardInterrupt(), "  interrupted\n"),
        (ZeroDivisionError("a bug"), "ZeroDivisionError: a bug\n"),
    ],
)
def test_what_ends_a_run_is_in_the_log(error: BaseException, logged: str, tmp_path: Path) -> None:
    console, _ = drawn(80, terminal=True, log=LogFile())

    def fail() -> None:
        assert console.log_file is not None
        with console.chronicle():
            console.log_file.open(tmp_path)
            console.start(0, 10)
            raise error

    with pytest.raises(type(error)):
        fail()
    text = (tmp_path / "log.txt").read_text()
    assert text.endswith(logged)
    assert ("Traceback" in text) == isinstance(error, ZeroDivisionError)


def test_warnings_of_libraries_are_in_the_log_and_where_they_were(tmp_path: Path) -> None:
    console, _ = drawn(80, terminal=False, log=LogFile())
    before = warnings.showwarning

    def warn() -> None:
        assert console.log_file is not None
        with console.chronicle():
            console.log_file.open(tmp_path)
            warnings.warn("odd numbers", RuntimeWarning, stacklevel=1)

    with pytest.warns(RuntimeWarning, match="odd numbers"):
        warn()
    assert "RuntimeWarning: odd numbers (" in (tmp_path / "log.txt").read_text()
    assert warnings.showwarning is before
