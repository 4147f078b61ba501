"""Every long command, stopped while it writes: nothing is half-written, and the same command goes on."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from dsct_detrex.evaluation import protocols
from dsct_detrex.explain.reading import Reading
from tests.reliability.commands import CASES, STATUS, Trial, anything_is_found, prepared
from tests.reliability.striking import spread


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("commands"))


@pytest.mark.parametrize("name", ["predict", "convert", "generate caer_s"])
def test_stopped_while_it_writes(name: str, given: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once by each signal, at moments spread over its writing; ``commands.py`` tries them all."""
    monkeypatch.setattr(protocols, "FOUND_IOU", protocols.FOUND_IOU)
    monkeypatch.setattr(Reading, "speakers", Reading.speakers)
    anything_is_found()
    trial = Trial(CASES[name], given, tmp_path)
    moments = spread(len(trial.changes), len(STATUS))
    for at, number in zip(moments * 3, STATUS):
        trial.stop(at, number)
    assert trial.stops == len(STATUS)
    assert signal.SIGKILL in STATUS
