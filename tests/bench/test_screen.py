"""Tables that fit a terminal, and numbers that fit their tables."""

import pytest

from dsct_detrex.bench import words
from dsct_detrex.bench.results import CaseResult, Row
from dsct_detrex.bench.screen import case_lines

FULL = dict(samples=(1.0,), low=0.79, high=0.84, difference=3e-6, operations=2_000_000_000, floor=0.2, of_floor=4.0)


def test_eighty_columns() -> None:
    memory = {"peak": 2**30, "work": 2**29}
    rows = (
        Row("stacked grid_sample", median=0.8, times=1.0, memory=memory, per_second=1.25, **FULL),
        Row("a candidate with a long name", median=0.4, times=2.0, memory=memory, per_second=2.5, **FULL),
        Row("broken", error="it needs " + "a compiler " * 12, note="never compiled"),
    )
    lines = list(case_lines(CaseResult("encoder, 480x640", rows)))
    assert lines[0] == "encoder, 480x640 (2.00 GFLOP, floor 200 ms)"
    assert max(map(len, lines)) <= 80
    assert "800 ms" in lines[2]
    assert "790..840 ms" in lines[2]
    assert "3e-06" in lines[2]
    assert "4.0x" in lines[2]
    assert "never compiled" in lines[5]


def test_columns_of_which_nothing_is_known_are_left_out() -> None:
    lines = list(case_lines(CaseResult("x", (Row("a", median=2.0, low=1.0, high=3.0, times=1.0),))))
    assert lines[1].split() == ["median", "range", "faster"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (2.408, "2.41 s"),
        (0.8119, "812 ms"),
        (35.14e-6, "35.1 us"),
        (0.09996, "100 ms"),
        (9.996e-3, "10.0 ms"),
    ],
)
def test_seconds(value: float | None, text: str) -> None:
    assert words.seconds(value) == text


def test_other_words() -> None:
    assert words.spread(Row("a", low=0.0005, high=0.002)) == "500 us..2.00 ms"
    assert words.operations(178e9) == "178 GFLOP"
    assert (words.apart(0.0), words.apart(None), words.rate(12.345)) == ("0", "", "12.3/s")
