"""Jobs as they are seen while one waits: bars that fit, and without a terminal a line now and then."""

import io
import re

import pytest
from rich.console import Console as RichConsole

from dsct_detrex.sweep.watching import Watch

NAMES = ("dab_deformable_detr_two_stage seed 0", "dino seed 10")


def watched(width: int, terminal: bool, monkeypatch: pytest.MonkeyPatch) -> str:
    text, now = io.StringIO(), [0.0]
    monkeypatch.setattr("dsct_detrex.sweep.watching.time.monotonic", lambda: now[0])
    rich = RichConsole(file=text, force_terminal=terminal, width=width, color_system=None, legacy_windows=False)
    with Watch(3, rich) as watch:
        for name in NAMES:
            watch.started(name, 480)
        for done in range(20, 481, 20):
            now[0] = float(done)
            for name in NAMES:
                watch.moved(name, done, "loss 12.34  accuracy 56.7%")
        watch.ended(NAMES[0])
        watch.say("a sentence")
    return text.getvalue()


@pytest.mark.parametrize("width", [50, 60, 80, 120, 190])
def test_bars_fit_any_terminal(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", watched(width, True, monkeypatch)).replace("\r", "\n").split("\n")
    assert max(map(len, shown)) <= width
    assert "a sentence" in shown
    if width >= 80:
        assert any("480/480 0:00:00 left  loss 12.34  accuracy" in line for line in shown)


def test_without_a_terminal_a_job_is_told_at_each_tenth(monkeypatch: pytest.MonkeyPatch) -> None:
    said = watched(80, False, monkeypatch).splitlines()
    assert said[:2] == [f"{name}: started" for name in NAMES]
    first = [line for line in said if line.startswith(f"{NAMES[0]}: ")][1:]
    assert len(first) == 10
    assert first[4] == f"{NAMES[0]}: 240/480  0:04:22 left  loss 12.34  accuracy 56.7%"
    assert said[-1] == "a sentence"


def test_what_is_not_counted_is_only_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    text = io.StringIO()
    with Watch(console=RichConsole(file=text, force_terminal=False)) as watch:
        watch.started("test DSCT", 0)
        watch.ended("test DSCT")
    assert text.getvalue() == "test DSCT: started\n"
