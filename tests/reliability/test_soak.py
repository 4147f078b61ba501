"""Seconds of what ``soak`` does for an hour, and its judge, who has to notice what grows."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path

import pytest

from tests.reliability.soak import EVERY, predicting, soak, training
from tests.reliability.watching import Growth, Sample

MEMORY = 6.0
"""MiB that may be noise within seconds."""
PACE = 2.0
"""The same for CPU seconds a step: caches and frequencies are shared with other tests."""
LOOKS = 9


def test_training_with_evaluations_and_checkpoints(tmp_path: Path) -> None:
    growth, status = soak(training(tmp_path / "run"), EVERY["training"], tmp_path, wanted=LOOKS)
    assert not growth.problems(MEMORY, PACE), str(growth)
    assert status == 128 + signal.SIGTERM, (tmp_path / "log.txt").read_text()
    assert growth.done >= EVERY["training"] * (LOOKS - 1)
    assert (tmp_path / "run" / "evaluation.json").exists()


def test_prediction_of_a_stream(tmp_path: Path) -> None:
    growth, status = soak(predicting(tmp_path), EVERY["predicting"], tmp_path, wanted=LOOKS)
    assert not growth.problems(MEMORY, PACE), str(growth)
    assert status == -signal.SIGTERM, (tmp_path / "log.txt").read_text()
    assert growth.done >= EVERY["predicting"] * (LOOKS - 1)


FLAT = [Sample(at, 100.0 + at % 3, 20 + at % 2, 4, 1 + at % 2, 0.5 * at, 10 * at) for at in range(60)]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda one: {}, None),
        (lambda one: {"memory": one.memory + 0.5 * one.at}, "memory grew by 9.8 MiB"),
        (lambda one: {"handles": one.handles + int(one.at) // 20}, "1 more open files"),
        (lambda one: {"threads": one.threads + int(one.at) // 10}, "2 more threads"),
        (lambda one: {"processes": one.processes + int(one.at) // 20}, "1 more processes"),
        (lambda one: {"cpu": one.cpu + max(0, one.at - 40)}, "each takes 3.00 times the time"),
    ],
)
def test_what_grows_is_noticed(change, sentence: str | None) -> None:
    growth = Growth.of([replace(one, **change(one)) for one in FLAT])
    assert growth.problems(MEMORY, PACE) == ([] if sentence is None else [sentence])
