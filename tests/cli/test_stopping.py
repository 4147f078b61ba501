"""One request to stop, however many signals carry it."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator

import pytest

from dsct_detrex.cli import stopping
from dsct_detrex.cli.running import guarded
from dsct_detrex.cli.stopping import exit_status, heeded, interrupting
from dsct_detrex.errors import Interrupted, Stopped


@pytest.fixture(autouse=True)
def _as_started() -> Iterator[None]:
    """Signals as a program finds them, also where the tests themselves run in the background of a shell."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in stopping.SIGNALS}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=lambda x: str(x)
)
def test_every_command_hears_them_as_ctrl_c(number: int, status: int, capsys: pytest.CaptureFixture[str]) -> None:
    cleaned: list[str] = []

    def work() -> int:
        try:
            signal.raise_signal(number)
            time.sleep(5)
        finally:
            cleaned.append("up")
        return 0

    before = signal.getsignal(number)
    assert guarded(work, stopped="the old file is there") == status
    assert cleaned == ["up"]
    assert capsys.readouterr().err == "Interrupted; the old file is there.\n"
    assert signal.getsignal(number) is before


def test_two_signals_within_a_moment_are_one_request() -> None:
    """``timeout`` sends to the process and to its group; a training would end without saving."""
    first: list[int] = []
    again: list[int] = []
    with heeded(first.append, again.append):
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        assert (first, again) == ([signal.SIGTERM], [])


def test_a_second_one_later_is_from_somebody_in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "ONE_REQUEST", 0.0)
    again: list[int] = []
    with heeded(lambda number: None, again.append):
        signal.raise_signal(signal.SIGTERM)
        time.sleep(0.001)
        signal.raise_signal(signal.SIGINT)
    assert again == [signal.SIGINT]


def test_what_the_inner_block_heard_is_no_news_to_the_outer() -> None:
    with interrupting():
        with pytest.raises(Stopped), interrupting():
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)  # the same request, to the group
    with interrupting(), pytest.raises(Stopped):
        signal.raise_signal(signal.SIGTERM)


def test_what_is_ignored_stays_ignored_unless_it_is_always_heeded() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    heard: list[int] = []
    with heeded(heard.append, heard.append):
        signal.raise_signal(signal.SIGINT)
    assert heard == []
    with heeded(heard.append, heard.append, (signal.SIGINT,)):
        signal.raise_signal(signal.SIGINT)
    assert heard == [signal.SIGINT]


def test_another_thread_changes_nothing() -> None:
    before = signal.getsignal(signal.SIGTERM)
    inside: list[object] = []

    def look() -> None:
        with interrupting():
            inside.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert inside == [before]


def test_statuses() -> None:
    assert exit_status(KeyboardInterrupt()) == 130
    assert exit_status(Stopped(signal.SIGTERM)) == 143
    assert exit_status(Interrupted(3, None, number=signal.SIGTERM)) == 143
