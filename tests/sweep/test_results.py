"""Reading runs back and saying what they came to."""

import csv
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

from dsct_detrex.structures import CAER_S
from dsct_detrex.sweep.comparison import blocked_p_value, comparison, difference_sentence, order_sentence
from dsct_detrex.sweep.description import Cell, Sweep
from dsct_detrex.sweep.execute import write_pictures, write_tables
from dsct_detrex.sweep.page import first_line
from dsct_detrex.sweep.plot import plot_by_people, plot_sweep
from dsct_detrex.sweep.results import Result, Row, make_rows, read_measured
from dsct_detrex.sweep.runs import Run, Standing
from dsct_detrex.sweep.setting import Setting
from dsct_detrex.sweep.table import cells_of, headings, legend, with_spread
from tests.sweep import stub_train


def finished(folder: Path, cell: Cell, seed: int, accuracy: float) -> Run:
    run = Run(cell, seed, (f"train.seed={seed}",), folder / cell.name / f"seed{seed}")
    run.begin()
    stub_train.finish(run.folder, accuracy)
    run.end("", keep_checkpoints=False)
    return run


def setting(cells: list[dict], data: str = "synthetic", scale: str = "demo", **options: object) -> Setting:
    sweep = Sweep("s", "title", "Host", cells, paper_table="Table 10", **options)
    return Setting(sweep, data, scale, CAER_S, 2, "python scripts/sweep.py")


CELLS = [
    {"name": "a", "paper": {"caer_s": 80.0}},
    {"name": "b", "paper": {"caer_s": 90.0}},
    {"name": "c", "paper": {"caer_s": 85.5}},
]


def three_rows(
    folder: Path, values: tuple[float, float, float] = (0.3, 0.5, 0.4), **options: object
) -> tuple[list[Row], Setting]:
    chosen = setting(CELLS, **options)
    runs = [
        finished(folder, cell, seed, value + 0.02 * seed)
        for cell, value in zip(chosen.sweep.cells, values)
        for seed in (0, 1)
    ]
    return make_rows(chosen.sweep.cells, runs), chosen


def test_times_come_from_the_log(tmp_path):
    stub_train.finish(tmp_path, 0.5)
    rows = [{"iteration": 10, "time": 3.0}, {"iteration": 20, "time": 1.0}, {"iteration": 30, "time": 1.0}]
    rows.append({"iteration": 30, "emotion/acc": 0.5})
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    measured = read_measured(tmp_path)
    assert measured.seconds_per_iteration == 1.0
    assert measured.training_seconds == 50.0
    assert (measured.parameters_total, measured.parameters_trainable) == (2_000_000, 1_500_000)


def test_mean_and_spread_by_hand(tmp_path):
    (row, *_), _ = three_rows(tmp_path)
    assert row.mean("acc") == pytest.approx(0.31)
    assert row.spread("acc") == pytest.approx(0.02 / math.sqrt(2))
    assert with_spread(0.31, 0.0141) == "31.0 ± 1.4 %"
    assert with_spread(0.31, math.nan) == "31.0 %"
    assert with_spread(math.nan, math.nan) == "–"


def test_order_against_the_papers(tmp_path):
    rows, chosen = three_rows(tmp_path)
    assert order_sentence(rows, chosen) == "Rank correlation with the paper's order: +1.00 over 3 rows."
    assert first_line(rows, chosen).startswith("Best of 3: b with 51.0 ± 1.4 % accuracy on synthetic data. Last: a")
    assert order_sentence(rows[:2], chosen) == ""


def test_a_p_value_worked_by_hand():
    """Means of rows and of blocks 1, 2, 3: rows 3 * 2 / 2 = 3, rest 4 / 4 = 1, F(2, 4) = 3, p = (1 + 3 / 2) ** -2."""
    values = np.array([[0.0, 0.0, 3.0], [1.0, 3.0, 2.0], [2.0, 3.0, 4.0]])
    assert blocked_p_value(values) == pytest.approx(0.16)
    assert blocked_p_value(values * 7 + 5) == pytest.approx(0.16)
    assert blocked_p_value(values + np.array([[9.0, -4.0, 2.0]])) == pytest.approx(0.16), "what blocks do is left out"
    assert math.isnan(blocked_p_value(np.ones((3, 2))))
    assert blocked_p_value(np.array([[1.0, 1.0], [2.0, 2.0]])) == 0.0


def test_rows_that_differ_by_more_than_chance(tmp_path):
    rows, chosen = three_rows(tmp_path, (0.3, 0.5, 0.4))
    expected = "The rows differ by more than chance (analysis of variance, 3 rows by 2 seeds: p < 0.001)."
    assert difference_sentence(rows, chosen) == expected
    assert comparison(rows, chosen) == f"{expected} Rank correlation with the paper's order: +1.00 over 3 rows."
    assert difference_sentence(rows[:1], chosen) == ""


def test_rows_that_do_not(tmp_path):
    chosen = setting(CELLS)
    values = {"a": (0.30, 0.34), "b": (0.33, 0.31), "c": (0.31, 0.33)}
    runs = [finished(tmp_path, cell, seed, values[cell.name][seed]) for cell in chosen.sweep.cells for seed in (0, 1)]
    sentence = difference_sentence(make_rows(chosen.sweep.cells, runs), chosen)
    assert sentence.startswith("The rows do not differ by more than chance (analysis of variance, 3 rows by 2 seeds: p")
    assert sentence.endswith("no order can be read from this table.")


def test_only_seeds_that_all_rows_have_are_compared(tmp_path):
    chosen = setting(CELLS)
    a, b, _ = chosen.sweep.cells
    runs = [finished(tmp_path, cell, seed, 0.1 * seed) for cell, seed in ((a, 0), (a, 1), (b, 1), (b, 2))]
    assert difference_sentence(make_rows(chosen.sweep.cells, runs), chosen) == ""
    runs.append(finished(tmp_path, b, 0, 0.05))
    assert "2 rows by 2 seeds" in difference_sentence(make_rows(chosen.sweep.cells, runs), chosen)


def test_the_table_by_number_of_people(tmp_path):
    rows, chosen = three_rows(tmp_path, by_people=True)
    _, table = write_tables(tmp_path, [result.run for row in rows for result in row.results], chosen)
    assert "| Host | 1 person | 2 people |\n" in table, "nobody stands among five or more"
    assert "| a | 41.0 ± 1.4 % | 21.0 ± 1.4 % |\n" in table
    with (tmp_path / "results.csv").open(newline="") as file:
        first = next(csv.DictReader(file))
    assert (float(first["acc_n1"]), first["acc_n4"], first["acc_n5plus"]) == (pytest.approx(0.4), "", "")
    svg = plot_by_people(rows, chosen, "svg").decode()
    assert all(f">{text}<" in svg for text in ("annotated people per image", "a", "b", "c", "1", "2"))
    write_pictures(tmp_path, rows, chosen)
    assert (tmp_path / "plot_by_people.png").read_bytes().startswith(b"\x89PNG")
    assert "Accuracy by number of people in the image" in (tmp_path / "report.html").read_text()


def test_a_single_number_of_the_papers_gets_no_axis(tmp_path):
    three_rows(tmp_path)
    only = [{**CELLS[0], "paper": None}, CELLS[1], {**CELLS[2], "paper": None}]
    chosen = setting(only)
    rows = make_rows(
        chosen.sweep.cells, [Run(c, 0, ("train.seed=0",), tmp_path / c.name / "seed0") for c in chosen.sweep.cells]
    )
    assert "the paper" not in plot_sweep(rows, chosen, "svg").decode()


def test_other_tables_have_no_such_columns(tmp_path):
    rows, chosen = three_rows(tmp_path)
    _, table = write_tables(tmp_path, [result.run for row in rows for result in row.results], chosen)
    assert "1 person" not in table
    write_pictures(tmp_path, rows, chosen)
    assert not (tmp_path / "plot_by_people.png").exists()


def test_the_state_of_a_cell():
    cell = Cell("a")
    runs = [Run(cell, seed, (), Path("x")) for seed in (0, 1)]
    new = Result(runs[0], Standing.NEW)
    broken = Result(runs[0], Standing.FAILED, "out of memory")
    assert Row(cell, (new, new)).state() == "not run"
    assert Row(cell, (new, Result(runs[1], Standing.UNFINISHED))).state() == "unfinished"
    assert Row(cell, (broken, broken)).state() == "failed"
    assert Row(cell, (broken, broken)).reasons() == ["out of memory"]


def test_partly_finished_cells_say_so(tmp_path):
    chosen = setting(CELLS)
    cell = chosen.sweep.cells[0]
    runs = [finished(tmp_path, cell, 0, 0.5), Run(cell, 1, ("x=1",), tmp_path / "a" / "seed1")]
    rows = make_rows([cell], runs)
    assert cells_of(rows[0], rows, chosen)[-2:] == ["80.00 %", "1 of 2 finished"]
    assert legend(rows, chosen).startswith("Mean of 1 seed. Every run")


@pytest.mark.parametrize(
    ("data", "scale", "sentence"),
    [
        ("synthetic", "paper", "Numbers on synthetic data do not compare with the paper's CAER-S numbers"),
        ("caer_s", "demo", "Trained at demo scale"),
        ("caer_s", "paper", ""),
    ],
)
def test_what_compares_with_the_paper(data, scale, sentence):
    chosen = setting(CELLS, data, scale)
    assert chosen.warning().startswith(sentence)
    assert chosen.comparable is (sentence == "")


def test_the_plot_shares_an_axis_only_where_numbers_compare(tmp_path):
    rows, _ = three_rows(tmp_path)
    apart = plot_sweep(rows, setting(CELLS), "svg").decode()
    together = plot_sweep(rows, setting(CELLS, "caer_s", "paper"), "svg").decode()
    for text in ("51.0 ± 1.4 %", "Exact bound: whole scene 85.6 %"):
        assert text in apart
        assert text in together
    assert ">Host<" in apart
    assert "90.00 %" in apart
    assert "90.00 %" not in together
    assert apart == plot_sweep(rows, setting(CELLS), "svg").decode()


def change_report(run: Run, **changes: dict) -> None:
    """Change blocks of the report that a finished run left."""
    path = run.folder / "evaluation.json"
    report = json.loads(path.read_text())
    for block, values in changes.items():
        report.setdefault(block, {}).update(values)
    path.write_text(json.dumps(report))


def rows_on_a_part(folder: Path) -> tuple[list[Row], list[Run], Setting]:
    """Three rows: one on fewer pictures, one that finds nobody, one without anything to say."""
    chosen = setting(CELLS)
    runs = [finished(folder, cell, 0, 0.4) for cell in chosen.sweep.cells]
    for run, strict in zip(runs, (0.3, 0.0, 0.35)):
        change_report(run, strict={"acc": strict, "found": 0.7}, dataset={"split": "test", "coverage": None})
    change_report(runs[0], dataset={"coverage": "498 of 500 images"})
    change_report(runs[1], metrics={"recall50": 0.02})
    return make_rows(chosen.sweep.cells, runs), runs, chosen


def test_a_run_with_a_page_of_its_own_is_linked_by_the_page_of_the_sweep(tmp_path):
    rows, runs, chosen = rows_on_a_part(tmp_path)
    (runs[0].folder / "report.html").write_text("page")
    write_pictures(tmp_path, rows, chosen)
    links = re.findall(r'<th scope="row"><a href="([^"]+)">', (tmp_path / "report.html").read_text())
    assert links == [f"{runs[0].short_name}/report.html"]
    assert (tmp_path / links[0]).read_text() == "page"


def test_a_number_on_fewer_pictures_says_so_in_every_cell(tmp_path):
    rows, _, chosen = rows_on_a_part(tmp_path)
    assert cells_of(rows[0], rows, chosen)[1] == "40.0 % (498 of 500 images)"
    assert cells_of(rows[2], rows, chosen)[1] == "40.0 %"
    _, text = write_tables(tmp_path, [result.run for row in rows for result in row.results], chosen)
    assert "| a | 40.0 % (498 of 500 images) |" in text
    assert "Pictures were lost: a on 498 of 500 images." in text
    assert "Measured on synthetic, test split: 1,234 people in 498 of 500 images, drawn scenes; demo scale" in text
    assert "Other rows were measured on synthetic, test split: 1,234 people in 500 images, drawn scenes." in text
    with (tmp_path / "results.csv").open(newline="") as file:
        records = list(csv.DictReader(file))
    assert "498 of 500 images" in records[0]["measured_on"]
    write_pictures(tmp_path, rows, chosen)
    page = (tmp_path / "report.html").read_text()
    assert page.count("498 of 500 images") >= 6, "result, run, note, where it was measured, plot and its caption"
    assert page.count("Pictures were lost: a on 498 of 500 images.") == 2, "in the note and under the plot"


def test_a_row_that_finds_nobody_is_named_beside_the_strict_column(tmp_path):
    rows, runs, chosen = rows_on_a_part(tmp_path)
    assert headings(rows, chosen)[1:4] == ["Accuracy", "People found", "Strict"]
    assert [cells_of(row, rows, chosen)[2:4] for row in rows] == [
        ["75.0 %", "30.0 % (498 of 500 images)"],
        ["2.0 %", "0.0 %"],
        ["75.0 %", "35.0 %"],
    ]
    sentence = (
        "Fewer than 50 % of the people are found at IoU 0.5 by b: these scores are not about people found; "
        "the strict column is."
    )
    assert sentence in write_tables(tmp_path, runs, chosen)[1]
    write_pictures(tmp_path, rows, chosen)
    assert sentence in (tmp_path / "report.html").read_text()


def test_warnings_that_all_runs_share_stand_under_the_table(tmp_path):
    _rows, runs, chosen = rows_on_a_part(tmp_path)
    for run, warnings in zip(runs, (["Leak.", "Own."], ["Leak."], ["Leak."])):
        path = run.folder / "evaluation.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "warnings": warnings}))
    _, text = write_tables(tmp_path, runs, chosen)
    assert "\nLeak.\n" in text
    assert "Own." not in text


def test_results_of_earlier_versions_are_read(tmp_path):
    rows, chosen = three_rows(tmp_path)
    assert "Strict" not in headings(rows, chosen)
    assert rows[0].coverage() == ""
