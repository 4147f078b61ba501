"""The paper's numbers beside measured ones: which are shown, what is said about them, what is drawn together."""

import csv
from pathlib import Path
from typing import Any

import pytest

from dsct_detrex.structures import get_emotions
from dsct_detrex.sweep.comparison import gap_sentences, order_sentence
from dsct_detrex.sweep.description import Sweep
from dsct_detrex.sweep.efficiency import plot_efficiency
from dsct_detrex.sweep.execute import write_pictures, write_tables
from dsct_detrex.sweep.paper_tables import leaderboard_rows, paper_people_rows, paper_text
from dsct_detrex.sweep.plot import plot_by_people, plot_sweep
from dsct_detrex.sweep.results import Row, make_rows
from dsct_detrex.sweep.runs import Run
from dsct_detrex.sweep.setting import Setting
from tests.sweep.test_results import finished

BOARD = dict(
    cells=[
        {"name": "small", "label": "DSCT-R18", "printed_as": "Ours-R18", "params_m": 22, "backbone": "ResNet18"},
        {"name": "large", "label": "DSCT-R50", "printed_as": "Ours-R50", "params_m": 39, "paper": {"caer_s": 91.81}},
        {"name": "extra", "ours": True},
    ],
    quoted=[
        {"label": "VRD", "paper": {"caer_s": 90.49}, "params_m": 380, "backbone": "{VGG19, ResNet50} x 2"},
        {"label": "CCIM", "paper": {"caer_s": 91.17}, "params_m": 223},
        {"label": "HECO", "paper": {"emotic": 37.76}, "params_m": 219},
    ],
    efficiency=True,
)
ON_EMOTIC = dict(
    cells=[
        {"name": "a", "paper": {"emotic": 36.0}, "paper_by_people": {"emotic": {"1": 30.5, "5plus": 31.25}}},
        {"name": "b", "paper": {"emotic": 37.0}},
        {"name": "c", "paper": {"emotic": 36.5}},
        {"name": "d", "ours": True},
    ],
    gaps=[{"better": "b", "worse": "a", "paper": {"emotic": 1.0}, "about": "b above a"}],
    by_people=True,
    images={"emotic": {"1": 2444}},
)


def setting(sweep: dict[str, Any], data: str = "synthetic", scale: str = "demo", emotions: str = "caer_s") -> Setting:
    return Setting(
        Sweep("s", "title", "Row", paper_table="Table 9", **sweep),
        data,
        scale,
        get_emotions(emotions),
        1,
        "python scripts/sweep.py",
    )


def rows_of(chosen: Setting, folder: Path, values: dict[str, float]) -> list[Row]:
    """One seed each; cells without a value are not trained."""
    runs = [
        finished(folder, cell, 0, values[cell.name])
        if cell.name in values
        else Run(cell, 0, (), folder / cell.name / "seed0")
        for cell in chosen.sweep.cells
    ]
    return make_rows(chosen.sweep.cells, runs)


@pytest.mark.parametrize(
    ("sweep", "data", "emotions", "column"),
    [
        (BOARD, "synthetic", "caer_s", "Paper, CAER-S"),
        (BOARD, "emotic", "emotic", "Paper, EMOTIC"),
        (ON_EMOTIC, "synthetic", "caer_s", "Paper, EMOTIC (mAP)"),
        (ON_EMOTIC, "synthetic", "emotic", "Paper, EMOTIC"),
        ({"cells": [{"name": "mine"}]}, "synthetic", "caer_s", "Paper, CAER-S"),
    ],
)
def test_the_column_is_that_of_the_data_or_the_only_one_there_is(sweep, data, emotions, column):
    assert setting(sweep, data, emotions=emotions).paper_column == column


@pytest.mark.parametrize(
    ("data", "emotions", "sentence"),
    [
        ("emotic", "emotic", ""),
        ("caer_s", "caer_s", "Numbers on caer_s data do not compare with the paper's EMOTIC numbers: they are mAP, of"),
    ],
)
def test_a_table_of_one_data_set_compares_there_only(data, emotions, sentence):
    chosen = setting(ON_EMOTIC, data, "paper", emotions)
    assert chosen.comparable is (sentence == "")
    assert chosen.warning().startswith(sentence)


def test_only_the_papers_rows_count_for_its_order(tmp_path):
    chosen = setting(ON_EMOTIC)
    rows = rows_of(chosen, tmp_path, {"a": 0.3, "b": 0.5, "c": 0.4, "d": 0.9})
    assert order_sentence(rows, chosen) == "Rank correlation with the paper's order on EMOTIC: +1.00 over 3 rows."


def test_gaps_stand_beside_the_measured_ones(tmp_path):
    chosen = setting(ON_EMOTIC)
    printed = "B above a (b against a): +1.00 points on EMOTIC in the paper, "
    assert gap_sentences(rows_of(chosen, tmp_path, {}), chosen) == [f"{printed}not measured here yet."]
    rows = rows_of(chosen, tmp_path, {"a": 0.3, "b": 0.25})
    assert gap_sentences(rows, chosen) == [f"{printed}-5.00 here."]


def test_a_leaderboard_has_quoted_systems_as_printed_and_ours_measured(tmp_path):
    chosen = setting(BOARD)
    rows = rows_of(chosen, tmp_path, {"large": 0.5})
    assert leaderboard_rows(rows, chosen) == [
        ["DSCT-R50 (Ours-R50)", "91.81 %", "39 M", "–", "50.0 %", "2.0 M"],
        ["CCIM", "91.17 %", "223 M", "–", "quoted", "–"],
        ["VRD", "90.49 %", "380 M", "{VGG19, ResNet50} x 2", "quoted", "–"],
    ]
    assert leaderboard_rows(rows, setting(ON_EMOTIC)) == []
    (own,) = rows[1].measured
    own.report["dataset"]["coverage"] = "2 of 4 images"
    assert leaderboard_rows(rows, chosen)[0][4] == "50.0 % (2 of 4 images)"


def test_table_and_file_say_whose_a_row_is(tmp_path):
    chosen = setting(BOARD)
    rows = rows_of(chosen, tmp_path, {"small": 0.4, "large": 0.5, "extra": 0.6})
    _, text = write_tables(tmp_path, [result.run for row in rows for result in row.results], chosen)
    assert "| Paper, CAER-S | Paper, parameters |\n" in text
    assert "| DSCT-R50 | 50.0 % | 75.0 % | 2.0 M | 1.5 M | – | 0 s | 91.81 % | 39 M |" in text
    assert "| extra (ours) | 60.0 % |" in text
    assert "(ours): a row that the paper does not have." in text
    assert "| CCIM | 91.17 % | 223 M | – | quoted | – |" in text
    with (tmp_path / "results.csv").open(newline="") as file:
        found = {row["label"]: row for row in csv.DictReader(file)}
    assert [row["row_of"] for row in found.values()] == ["paper", "paper", "ours", "quoted", "quoted"]
    assert found["DSCT-R50"]["paper_parameters_millions"] == "39"
    assert (found["VRD"]["status"], found["VRD"]["paper_per_cent"], found["VRD"]["acc"]) == ("quoted", "90.49", "")
    assert {row["paper_data"] for row in found.values()} == {"caer_s"}


def test_the_papers_numbers_by_number_of_people(tmp_path):
    chosen = setting(ON_EMOTIC)
    rows = rows_of(chosen, tmp_path, {"a": 0.3, "d": 0.5})
    assert paper_people_rows(chosen) == [["a", "30.50 %", "–", "–", "–", "31.25 %"]]
    _, text = write_tables(tmp_path, [result.run for row in rows for result in row.results], chosen)
    assert "| Paper, EMOTIC (mAP) | 1 (2,444 images) | 2 |" in text
    with (tmp_path / "results.csv").open(newline="") as file:
        first = next(csv.DictReader(file))
    assert (first["paper_n1"], first["paper_n2"], first["paper_n5plus"]) == ("30.5", "", "31.25")
    apart = plot_by_people(rows, chosen, "svg").decode()
    assert "the paper's mAP on EMOTIC" in apart
    assert "a, the paper's" in apart
    together = plot_by_people(rows, setting(ON_EMOTIC, "emotic", "paper", "emotic"), "svg").decode()
    assert "the paper's mAP on EMOTIC" not in together
    assert "a, the paper's" in together
    write_pictures(tmp_path, rows, chosen)
    assert "The paper&#39;s mAP by number of annotated people" in (tmp_path / "report.html").read_text()


def test_gaps_alone_fill_the_column():
    """Figure 11 prints no values; its column says how far below the best a row is."""
    sweep = {key: value for key, value in ON_EMOTIC.items() if key != "cells"} | {
        "cells": [{"name": "a"}, {"name": "b"}]
    }
    chosen = setting(sweep)
    assert [paper_text(cell, chosen) for cell in chosen.sweep.cells] == ["1.00 points below b", "best"]


def test_score_over_parameters_shares_axes_only_where_numbers_compare(tmp_path):
    rows = rows_of(setting(BOARD), tmp_path, {"small": 0.4, "large": 0.5})
    apart = plot_efficiency(rows, setting(BOARD), "svg").decode()
    together = plot_efficiency(rows, setting(BOARD, "caer_s", "paper"), "svg").decode()
    for text in ("DSCT-R18", "DSCT-R50", "Ours-R50", "CCIM", "VRD", "measured here", "quoted by the paper, as printed"):
        assert f">{text}<" in apart
        assert f">{text}<" in together
    for text in ("Ours-R18", "HECO", "extra"):
        assert f">{text}<" not in apart, "no number of its own there"
    assert (apart.count(">parameters, millions<"), together.count(">parameters, millions<")) == (2, 1)
    assert ">Measured: synthetic, demo scale<" in apart
    assert apart == plot_efficiency(rows, setting(BOARD), "svg").decode(), "equal data, equal files"


def test_score_over_parameters_before_anything_is_measured(tmp_path):
    chosen = setting(BOARD)
    plot = plot_efficiency(rows_of(chosen, tmp_path, {}), chosen, "svg").decode()
    assert ">Printed: CAER-S<" in plot
    assert "Measured" not in plot


def test_the_pictures_of_a_leaderboard(tmp_path):
    chosen = setting(BOARD)
    rows = rows_of(chosen, tmp_path, {"small": 0.4, "large": 0.5})
    write_pictures(tmp_path, rows, chosen)
    assert (tmp_path / "plot_efficiency.png").read_bytes().startswith(b"\x89PNG")
    page = (tmp_path / "report.html").read_text()
    assert "The two axes do not compare" in page
    assert "Systems marked quoted are the paper&#39;s quotations" in page


def test_marks_of_the_papers_axis_are_not_rounded_away(tmp_path):
    chosen = setting(ON_EMOTIC)
    plot = plot_sweep(rows_of(chosen, tmp_path, {"a": 0.3}), chosen, "svg").decode()
    assert ">36.5 %<" in plot
    assert "the paper's mAP on EMOTIC" in plot
