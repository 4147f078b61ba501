"""The table of goals, from records that were written by hand."""

import json
from pathlib import Path
from typing import Any

import pytest

from dsct_detrex.bench.goals import GOALS, NOT_MEASURED, goals_page


def row(candidate: str, median: float | None, **rest: Any) -> dict[str, Any]:
    return {"candidate": candidate, "median": median, "difference": 2e-6, "memory": None, "x": None} | rest


def case(name: str, *rows: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "rows": rows}


def measured(folder: Path, **records: list[dict[str, Any]]) -> dict[str, str]:
    """Goal -> what its row says."""
    for suite, cases in records.items():
        (folder / f"{suite}.json").write_text(json.dumps({"cases": cases}))
    rows = [line.strip("| ").split(" | ") for line in goals_page(folder).splitlines() if line.startswith("| P")]
    return {cells[0]: cells[3] for cells in rows}


def test_without_records_nothing_is_claimed(tmp_path: Path) -> None:
    assert measured(tmp_path) == {goal.name: NOT_MEASURED for goal in GOALS}


@pytest.mark.parametrize("content", ["{broken", "[1, 2]", '{"cases": 3}', "{}"])
def test_files_that_are_no_records_are_passed_over(tmp_path: Path, content: str) -> None:
    for name in ("operator.json", "notes.json"):
        (tmp_path / name).write_text(content)
    assert measured(tmp_path) == {goal.name: NOT_MEASURED for goal in GOALS}


def test_ratios(tmp_path: Path) -> None:
    light, heavy = {"work": 30, "peak": 80}, {"work": 60, "peak": 100}
    said = measured(
        tmp_path,
        operator=[
            case(
                "encoder, 480x640, operator, forward + backward",
                row("stacked grid_sample", 9.0),
                row("detrex fallback", 10.0),
                row("numba", 0.8),
                row("detrex", None),
            ),
            case("decoder, 300 queries, 480x640, operator, forward + backward", row("stacked grid_sample", 9.0)),
            case("encoder, 480x640, operator, forward", row("stacked grid_sample", 9.0), row("numba", 9.0)),
        ],
        step=[
            case(
                "deformable_detr, 480x640",
                row("official", 6.0, memory=heavy),
                row("plain", 4.0),
                row("rewritten", 2.0, memory=light),
            )
        ],
        model=[
            case("deformable_detr, 800x1066", row("plain", 4.0), row("rewritten", 2.0)),
            case("dino, 800x1066, DSCT's share", row("bare host", 4.0), row("DSCT", 4.2)),
        ],
        waiting=[case("training of the demo", row("workers: 2", 20.0, facts={"waits": 0.019}))],
        growth=[case("dino, the loss alone, people", row("people: 1", 1.0, x=1), row("people: 8", 4.0, x=8))],
    )
    assert said["P1"] == "480x640 12.5x"
    assert said["P2"] == NOT_MEASURED, "ours failed"
    assert said["P3"] == NOT_MEASURED, "the official code was not there"
    assert said["P4"] == "3.00x, results 2e-06 apart; memory of the work 0.50x, of the process 0.80x"
    assert said["P5"] == "dino 800x1066 1.05x"
    assert said["P7"] == NOT_MEASURED
    assert said["P10"] == "workers: 2 1.9 %"
    assert said["P11"] == "the loss alone, people 0.50"
