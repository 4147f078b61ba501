"""Aligned rows and whole sentences at any width."""

import pytest

from dsct_detrex.engine.screen.block import block_lines, in_two_lines, sentence_lines

COUNTS = [f"Emotion{i} {i},000" for i in range(7)]


def test_values_stand_under_each_other() -> None:
    rows = [("steps", "one two three four five six"), ("output folder", "a\nb"), ("empty", "")]
    assert ["".join(line) for line in block_lines(rows, 35)] == [
        "steps          one two three four",
        "               five six",
        "output folder  a",
        "               b",
        "empty          ",
    ]


def test_a_long_word_stays_whole() -> None:
    path = "/a/very/long/path/to/the/folder/of-a-run/with-hyphens"
    assert ("          ", path) not in block_lines([("output", path)], 30)
    assert [line for _, line in block_lines([("output", path)], 30)] == [path]


@pytest.mark.parametrize(("width", "fits"), [(200, True), (62, True), (60, False), (20, False)])
def test_phrases_that_need_a_third_line_are_refused(width: int, fits: bool) -> None:
    assert (in_two_lines(COUNTS, width) is not None) == fits


def test_a_line_never_ends_within_a_phrase() -> None:
    text = in_two_lines(COUNTS, 100)
    assert text is not None
    lines = [line for _, line in block_lines([("", text)], 57)]
    assert len(lines) > 1
    assert all(line.rstrip(",").endswith(",000") for line in lines)
    assert "\N{NO-BREAK SPACE}" not in "".join(lines)


def test_sentences_break_between_words() -> None:
    assert sentence_lines("note: three small words", 12) == ["note: three", "  small", "  words"]
    assert sentence_lines("", 12) == [""]
