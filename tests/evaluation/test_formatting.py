"""Numbers in words: one form everywhere."""

import pytest

from dsct_detrex.evaluation.formatting import people_group, percent, whole


@pytest.mark.parametrize(
    ("fraction", "text"), [(0.7134, "71.3 %"), (1.0, "100.0 %"), (0.0, "0.0 %"), (None, "–"), (float("nan"), "–")]
)
def test_percent(fraction: float | None, text: str) -> None:
    assert percent(fraction) == text


def test_percent_digits_whole_and_group() -> None:
    assert percent(0.7, digits=0) == "70 %"
    assert whole(12345) == "12,345"
    assert people_group("5plus") == "5 or more"
    assert people_group("3") == "3"
