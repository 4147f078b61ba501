"""Memory does not grow with the number of pictures: what is kept of each is its name."""

import os
import tracemalloc
from pathlib import Path

import pytest

from dsct_detrex.structures import CAER_S
from tests.prediction.finds import finder
from tests.prediction.stubs import picture, predict, rows, use

FORMATS = "csv,jsonl,coco"
NUMBERS = (40, 160)
_A_NAME = 2500
"""Bytes: a path as text and as an object, in the lists of units, of drawn copies and of what is known. The results of a
picture take ten times as much, its pixels more still."""


def test_four_times_the_pictures_take_no_more_than_their_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    use(finder(CAER_S, 20), monkeypatch)
    peaks = []
    for number in (10, *NUMBERS):  # the first warms up caches
        Path(str(number)).mkdir()
        picture("one.png")
        for index in range(number):
            Path(f"{number}/{index:05}.png").write_bytes(Path("one.png").read_bytes())
        tracemalloc.start()
        assert predict(str(number), "--out", f"out{number}", "--format", FORMATS, "--batch-size", "4") == 0
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert len(rows(f"out{number}")) == number
    growth = (peaks[2] - peaks[1]) / (NUMBERS[1] - NUMBERS[0])
    result = os.path.getsize(f"out{NUMBERS[1]}/predictions.json") / NUMBERS[1]
    assert result > 4000
    assert growth < _A_NAME, f"{growth:.0f} bytes a picture"
