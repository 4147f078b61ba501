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


def table(folder: Path, device: str = "CPU", **records: list[dict[str, Any]]) -> dict[str, tuple[str, str]]:
    """Goal -> what its row says was measured, and whether that reaches the bar."""
    for suite, cases in records.items():
        (folder / f"{suite}.json").write_text(json.dumps({"cases": cases, "machine": {"device": device}}))
    rows = [line.removeprefix("| ").split(" | ") for line in goals_page(folder).splitlines() if line.startswith("| P")]
    return {cells[0]: (cells[3], cells[4].removesuffix("|").strip()) for cells in rows}


def measured(folder: Path, **records: list[dict[str, Any]]) -> dict[str, str]:
    return {goal: said for goal, (said, _) in table(folder, **records).items()}


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
            case("dino, 800x1066, DSCT's share", row("bare host", 4.0, samples=[4.0]), row("DSCT", 4.2, samples=[4.2])),
        ],
        waiting=[case("training of the demo", row("workers: 2", 20.0, facts={"waits": 0.019}))],
        growth=[case("dino, the loss alone, people", row("people: 1", 1.0, x=1), row("people: 8", 4.0, x=8))],
    )
    assert said["P1"] == "480x640 12.5x"
    assert said["P2"] == NOT_MEASURED, "ours failed"
    assert said["P3"] == NOT_MEASURED, "the official code was not there"
    assert said["P4"] == "3.00x, results 2e-06 apart; memory of the work 0.50x; memory of the process 0.80x"
    assert said["P5"] == "dino 800x1066 1.05x"
    assert said["P7"] == NOT_MEASURED
    assert said["P10"] == "workers: 2 1.9 %"
    assert said["P11"] == "the loss alone, people 0.50"


def test_each_goal_says_whether_it_is_reached(tmp_path: Path) -> None:
    said = table(
        tmp_path,
        model=[
            case(
                f"{host}, 800x1066, DSCT's share",
                row("bare host", 100.0, samples=[100.0, 100.0, 100.0]),
                row("DSCT", turns[1], samples=turns),
            )
            for host, turns in (
                ("detr", [99.0, 103.0, 140.0]),
                ("dino", [106.0, 110.0, 120.0]),
                ("deta", [99, 107, 120]),
            )
        ],
        step=[
            case(
                "deformable_detr, 480x640",
                row("official", 6.0, memory={"work": 60, "peak": 100}),
                row("rewritten", 2.0, memory={"work": 30, "peak": 80}),
            )
        ],
        growth=[case("dino, the loss alone, people", row("people: 1", 1.0, x=1), row("people: 8", 4.0, x=8))],
        waiting=[case("training of the demo", row("workers: 2", 20.0, facts={"waits": 0.05}))],
    )
    verdicts = {goal: verdict for goal, (_, verdict) in said.items() if verdict}
    assert verdicts == {
        "P4": "no: memory of the process 0.80x",
        "P5": "no: dino 800x1066 1.10x (1.06 to 1.20 by turns); unclear: deta 800x1066 1.07x (0.99 to 1.20 by turns)",
        "P7": "needs a GPU",
        "P8": "needs a GPU",
        "P9": "needs a GPU",
        "P10": "no",
        "P11": "yes",
    }


def test_records_of_a_gpu_answer_the_goals_of_a_gpu_alone(tmp_path: Path) -> None:
    said = table(
        tmp_path,
        "Some GPU",
        operator=[case("encoder, 800x1066, operator, forward + backward", row("detrex", 3.0), row("triton", 1.0))],
        batches=[case("dino, 800x1066", row("plain, one by one", 9.0), row("batches of 2", 3.0), row("of 8", 2.0))],
        waiting=[case("training of the demo", row("workers: 2", 20.0, facts={"waits": 0.01}))],
    )
    assert said["P7"] == ("800x1066 3.0x", "yes")
    assert said["P9"] == ("dino, 800x1066, of 8 4.50x", "yes")
    assert said["P10"] == (NOT_MEASURED, "")
