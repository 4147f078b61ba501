"""An evaluation in one line of 80 columns."""

from typing import Any

import pytest

from dsct_detrex.engine.screen.evaluation_line import Standing, evaluation_line

SCALARS = {"emotion/acc": 0.2344, "emotion/mAP": 0.3, "bbox/recall50": 0.7118, "bbox/AP": 0.5}
WHOLE: dict[str, Any] = {"protocol": {"name": "paper"}, "dataset": {"coverage": None}}
PART: dict[str, Any] = {"protocol": {"name": "paper"}, "dataset": {"coverage": "2 of 4 images"}}


@pytest.mark.parametrize(
    ("metric", "report", "seconds", "standing", "line"),
    [
        ("emotion/acc", WHOLE, 12.0, Standing(), "step 320  accuracy 23.4 %  people found 71.2 %  12 s"),
        (
            "emotion/acc", WHOLE, 3.26, Standing(0.2134, True, (0.2344, 320)),
            "step 320  accuracy 23.4 % (+2.1)  best so far  people found 71.2 %  3.3 s",
        ),
        (
            "emotion/acc", WHOLE, 3700.0, Standing(0.2444, False, (0.3, 160)),
            "step 320  accuracy 23.4 % (-1.0)  best 30.0 % at 160  found 71.2 %  1 h 1 min",
        ),
        ("emotion/mAP", PART, 1.0, Standing(), "step 320  mAP 30.0 % (2 of 4 images)  people found 71.2 %  1.0 s"),
        ("bbox/AP", WHOLE, 1.0, Standing(), "step 320  bbox/AP 50.0 %  people found 71.2 %  1.0 s"),
        ("emotion/AP-Fear", WHOLE, 1.0, Standing(), "step 320  AP-Fear –  people found 71.2 %  1.0 s"),
        ("emotion/acc", None, 1.0, Standing(0.2), "step 320  accuracy 0.2344 (+0.0344)  people found 71.2 %  1.0 s"),
    ],
)  # fmt: skip
def test_the_line(metric: str, report: Any, seconds: float, standing: Standing, line: str) -> None:
    assert evaluation_line("step 320", SCALARS, report, metric, seconds, standing) == line
    assert len(line) < 80


def test_a_number_without_meaning_is_compared_with_nothing() -> None:
    line = evaluation_line("step 1", {"emotion/mAP": float("nan")}, WHOLE, "emotion/mAP", 1.0, Standing(0.5))
    assert line == "step 1  mAP –  1.0 s"
