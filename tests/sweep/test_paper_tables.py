"""Every number that the paper prints in its tables stands in exactly one cell of its sweep, and no other number does.

``paper_tables.json`` is a transcript of arXiv:2404.17205: mAP on EMOTIC and accuracy on CAER-S in per cent, parameters
in millions, null where nothing is printed.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from dsct_detrex.sweep import Sweep, load_sweep
from dsct_detrex.sweep.description import Cell, table_file

PAPER = json.loads(Path(__file__).with_name("paper_tables.json").read_text())
NUMBERS = [*map(str, range(1, 14)), "figure_2", "figure_11"]
Entry = tuple[Any, ...]
"""Row as the paper calls it, kind of emotions (with the group of people), number; or row and parameters."""


def sweep_of(table: str) -> Sweep:
    return load_sweep(table_file(table))


def stated(sweep: Sweep, name: Callable[[Cell], str]) -> Counter[Entry]:
    """All entries of a sweep that are marked as the paper's, with how often each stands there."""
    entries: Counter[Entry] = Counter()
    rows = [(name(cell), cell) for cell in sweep.cells] + [(one.label, one) for one in sweep.quoted]
    for row, system in rows:
        entries.update((row, kind, number) for kind, number in system.paper.items())
        if system.params_m is not None:
            entries[row, "params_m", system.params_m] += 1
    for row, cell in ((name(cell), cell) for cell in sweep.cells):
        for kind, groups in cell.paper_by_people.items():
            entries.update((row, f"{kind} n{group}", number) for group, number in groups.items())
    return entries


def leaderboard(key: str, score: str, kind: str) -> list[Entry]:
    rows = PAPER[key]
    scores = [(row["method"], kind, row[score]) for row in rows]
    return scores + [(row["method"], "params_m", row["params_m"]) for row in rows]


def by_people(row: str, numbers: Mapping[str, float]) -> list[Entry]:
    return [(row, f"emotic n{group.replace('>=5', '5plus')}", number) for group, number in numbers.items()]


def components(row: Mapping[str, Any]) -> str:
    names = ("baseline", "decouple_fuse", "spatial", "semantic")
    return " ".join(name for name in names if row[name])


COMPONENT_CELLS = {
    "baseline": "subjects_only",
    "baseline decouple_fuse": "fused",
    "baseline decouple_fuse spatial": "spatial",
    "baseline decouple_fuse semantic": "semantic",
    "baseline decouple_fuse spatial semantic": "both",
}
LATE, EARLY = "late (6th layer)", "early (all layers)"
FUSION = PAPER["table_12_emotic_fusion_by_subjects"]
MAIN = PAPER["main"]


def printed(table: str) -> list[Entry]:
    """All entries of a table of the paper."""
    if table in ("1", "2"):
        return leaderboard(*[("table_1_caer_s", "acc", "caer_s"), ("table_2_emotic", "mAP", "emotic")][int(table) - 1])
    if table == "3":
        rows = PAPER["table_3_emotic"]["rows"]
        return [(f"{row['theta_cls']}, {row['lambda_cls']}", "emotic", row["mAP"]) for row in rows]
    if table == "4":
        return [e for row in PAPER["table_4_emotic_by_subjects"]["rows"] for e in by_people(row["method"], row["mAP"])]
    if table == "5":
        return [(n, kind, v) for kind, row in PAPER["table_5_subject_queries"].items() for n, v in row.items()]
    if table == "6":
        rows = PAPER["table_6_emotic_components"]
        return [(COMPONENT_CELLS[components(row)], "emotic", row["mAP"]) for row in rows]
    if table == "9":
        rows = PAPER["table_9_backbones"]
        return [(row["backbone"], key, row[key]) for row in rows for key in ("emotic", "caer_s", "params_m")]
    if table == "12":
        return by_people(LATE, FUSION[LATE]) + by_people(EARLY, FUSION[EARLY])
    if table == "figure_2":
        own = [(f"Ours-{name}", kind, v) for kind in ("emotic", "caer_s") for name, v in MAIN[kind].items()]
        boards = printed("1") + printed("2")
        quoted = [entry for entry in boards if not entry[0].startswith("Ours")]
        return own + [(f"Ours-{name}", "params_m", v) for name, v in MAIN["params_m"].items()] + quoted
    if table == "figure_11":
        return []
    key, kind = {
        "7": ("table_7_emotic_reweighting", "emotic"),
        "8": ("table_8_emotic_fusion_location", "emotic"),
        "10": ("table_10_caer_s_hosts", "caer_s"),
        "11": ("table_11_emotic_lambda_box", "emotic"),
        "13": ("table_13_emotic_modalities", "emotic"),
    }[table]
    return [(row, kind, number) for row, number in PAPER[key].items() if isinstance(number, float)]


def row_name(table: str) -> Callable[[Cell], str]:
    """How the paper calls the row of a cell."""
    if table in ("6", "7", "10", "13"):
        return lambda cell: cell.name
    return lambda cell: cell.printed_as


@pytest.mark.parametrize("table", NUMBERS)
def test_every_printed_number_stands_in_exactly_one_cell(table):
    expected = Counter(printed(table))
    assert stated(sweep_of(table), row_name(table)) == expected
    assert expected or table == "figure_11"


@pytest.mark.parametrize("table", NUMBERS)
def test_rows_that_the_paper_does_not_have_are_marked_as_ours(table):
    for cell in sweep_of(table).cells:
        named = {gap.better for gap in sweep_of(table).gaps} | {gap.worse for gap in sweep_of(table).gaps}
        assert cell.ours is not bool(cell.paper or cell.paper_by_people or cell.name in named), cell.name


@pytest.mark.parametrize(("table", "key"), [("1", "table_1_caer_s"), ("2", "table_2_emotic")])
def test_the_networks_of_a_leaderboard_are_as_printed(table, key):
    sweep = sweep_of(table)
    found = {cell.printed_as: cell.backbone for cell in sweep.cells} | {one.label: one.backbone for one in sweep.quoted}
    assert found == {row["method"]: row["backbone"] for row in PAPER[key]}


def test_the_gaps_are_those_of_the_text():
    text = PAPER["text"]
    gaps = {table: [gap.paper["emotic"] for gap in sweep_of(table).gaps] for table in NUMBERS}
    assert gaps.pop("6") == [
        text["contextual query above normal query (Figure 8)"],
        text["decouple and fuse"],
        text["spatial"],
        text["semantic"],
    ]
    assert gaps.pop("7") == [text["semantic above equal re-weighting"]]
    assert gaps.pop("8") == [text["all layers above 6th only"]]
    assert gaps.pop("11") == [text["lambda_box 5 above 1"]]
    known = gaps.pop("figure_11")
    assert known == [0.41, 0.39]
    assert all(f"{points} points above" in PAPER["figure_11_emotic"]["note"] for points in known)
    assert not any(gaps.values())


@pytest.mark.parametrize("table", [table for table in NUMBERS if table != "figure_11"])
def test_gaps_of_the_text_are_those_of_the_printed_rows(table):
    numbers = {cell.name: cell.paper.get("emotic") for cell in sweep_of(table).cells}
    for gap in sweep_of(table).gaps:
        assert gap.paper["emotic"] == pytest.approx(numbers[gap.better] - numbers[gap.worse], abs=0.005), gap.about


@pytest.mark.parametrize("table", ["4", "12"])
def test_the_papers_test_images_by_number_of_people(table):
    expected = FUSION["images"]
    assert expected == PAPER["table_4_emotic_by_subjects"]["images"]
    assert sweep_of(table).images == {"emotic": {group.replace(">=5", "5plus"): n for group, n in expected.items()}}


def test_the_networks_of_table_13_are_named():
    labels = " ".join(cell.label for cell in sweep_of("13").cells)
    assert all(network in labels for network in PAPER["table_13_emotic_modalities"]["networks"].values())
