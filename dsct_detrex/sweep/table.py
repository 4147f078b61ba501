"""The results as tables: ``results.csv`` with a row for each run, and the cells' rows for ``table.md`` and the page."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dsct_detrex.engine.files import write_atomically, write_text
from dsct_detrex.evaluation.cautions import LOW_RECALL
from dsct_detrex.evaluation.formatting import MISSING, people_group, percent
from dsct_detrex.evaluation.formatting import measured_on as measured_on_report
from dsct_detrex.evaluation.metrics import COUNT_GROUPS
from dsct_detrex.sweep.comparison import comparison, gap_sentences
from dsct_detrex.sweep.description import Cell
from dsct_detrex.sweep.paper_tables import (
    QUOTED,
    leaderboard_caption,
    leaderboard_headings,
    leaderboard_rows,
    paper_people_caption,
    paper_people_headings,
    paper_people_rows,
    paper_text,
    printed_millions,
    quoted_systems,
)
from dsct_detrex.sweep.printed import PEOPLE_GROUPS, Quoted
from dsct_detrex.sweep.results import Measured, Result, Row, mean
from dsct_detrex.sweep.setting import Setting
from dsct_detrex.visualization.plots import METRIC_NAMES
from dsct_detrex.visualization.quantities import duration, millions
from dsct_detrex.visualization.style import reference_name

_MEASURED = ("acc", "acc_any", "mAP", "recall50", "mean_iou", "AP", "AP50", "AP75", "strict")
_BY_PEOPLE = tuple(f"{kind}_n{group}" for kind in ("acc", "mAP") for group, _, _ in COUNT_GROUPS)


def write_csv(path: Path, rows: Sequence[Row], setting: Setting) -> None:
    """One row for each cell and seed, then one for each system that the paper quotes.

    Fractions and seconds are unrounded; the paper's numbers are in per cent of ``paper_data``, parameters in millions.
    """
    records = [_record(row, result, setting) for row in rows for result in row.results]
    records += [_quoted_record(quoted, setting) for quoted in quoted_systems(setting)]

    def write(temporary: Path) -> None:
        with temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(records[0]), restval="")
            writer.writeheader()
            writer.writerows(records)

    write_atomically(path, write)


def _record(row: Row, result: Result, setting: Setting) -> dict[str, Any]:
    run, measured = result.run, result.measured
    return {
        "sweep": setting.sweep.name,
        "cell": run.cell.name,
        "label": run.cell.label,
        "seed": run.seed,
        "status": result.standing.value,
        "reason": result.reason,
        "data": setting.data,
        "scale": setting.scale,
        **{name: _plain(measured.value(name) if measured else None) for name in (*_MEASURED, *_BY_PEOPLE)},
        "measured_on": measured_on_report(measured.report) if measured else "",
        "row_of": "ours" if run.cell.ours else "paper",
        "paper_data": setting.paper_kind,
        "paper_per_cent": _plain(row.cell.paper.get(setting.paper_kind)),
        **_paper_people(row.cell, setting),
        "paper_parameters_millions": _plain(run.cell.params_m),
        "parameters_total": measured.parameters_total if measured else "",
        "parameters_trainable": measured.parameters_trainable if measured else "",
        "iterations": measured.iterations if measured else "",
        "seconds_per_iteration": _plain(measured.seconds_per_iteration if measured else None),
        "training_seconds": _plain(measured.training_seconds if measured else None),
        "device": measured.environment.get("device", "") if measured else "",
        "folder": run.folder,
        "overrides": " ".join(run.cell.overrides),
    }


def _paper_people(cell: Cell, setting: Setting) -> dict[str, str]:
    """The paper's numbers by number of people, in tables that ask for them."""
    numbers = cell.paper_by_people.get(setting.paper_kind, {})
    return {f"paper_n{group}": _plain(numbers.get(group)) for group in PEOPLE_GROUPS if setting.sweep.by_people}


def _quoted_record(quoted: Quoted, setting: Setting) -> dict[str, Any]:
    """A system that the paper quotes; what is measured here is empty."""
    return {
        "sweep": setting.sweep.name,
        "label": quoted.label,
        "status": QUOTED,
        "row_of": QUOTED,
        "paper_data": setting.paper_kind,
        "paper_per_cent": _plain(quoted.paper[setting.paper_kind]),
        "paper_parameters_millions": _plain(quoted.params_m),
    }


def _plain(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else repr(value)


def headings(rows: Sequence[Row], setting: Setting) -> list[str]:
    """Of the cells' table; the state is a column only while something is not finished."""
    names = [setting.sweep.axis, METRIC_NAMES[setting.metric], "People found", *(["Strict"] if _strict(rows) else [])]
    names += ["Parameters", "Trainable", "Per iteration", "Training"]
    names += [setting.paper_column] if _has_scores(setting) else []
    names += ["Paper, parameters"] if _has_sizes(rows) else []
    return names if all_finished(rows) else [*names, "State"]


def _strict(rows: Sequence[Row]) -> bool:
    """Whether anything was measured under the strict protocol; results of earlier versions were not."""
    return any(row.values("strict") for row in rows)


def _has_scores(setting: Setting) -> bool:
    """Whether the paper's column has something to show; not where all its numbers are by number of people."""
    kind, cells = setting.paper_kind, setting.sweep.cells
    return any(kind in cell.paper for cell in cells) or not any(kind in cell.paper_by_people for cell in cells)


def _has_sizes(rows: Sequence[Row]) -> bool:
    """Whether the paper prints parameters for some row."""
    return any(row.cell.params_m is not None for row in rows)


def all_finished(rows: Sequence[Row]) -> bool:
    return all(len(row.measured) == len(row.results) for row in rows)


def cells_of(row: Row, rows: Sequence[Row], setting: Setting) -> list[str]:
    """One row of the cells' table as text: means over the finished seeds, the metric with its spread."""
    found = row.measured
    speed = mean([one.seconds_per_iteration for one in found])
    texts = [
        row.cell.marked_label,
        measured_text(row, setting.metric),
        percent(row.mean("recall50")),
        *([percent(row.mean("strict")) + row.on_part()] if _strict(rows) else []),
        millions(found[0].parameters_total) if found else MISSING,
        millions(found[0].parameters_trainable) if found else MISSING,
        MISSING if math.isnan(speed) else f"{speed:.3f} s",
        duration(mean([one.training_seconds for one in found])) if found else MISSING,
        *([paper_text(row.cell, setting)] if _has_scores(setting) else []),
        *([printed_millions(row.cell.params_m)] if _has_sizes(rows) else []),
    ]
    return texts if all_finished(rows) else [*texts, row.state()]


def failures(rows: Sequence[Row]) -> list[str]:
    """A sentence for each cell with failed runs: why, and where the whole story is."""
    return [
        f"{row.cell.label} failed: {'; '.join(row.reasons())} (log: {row.failures[0].run.log})"
        for row in rows
        if row.failures
    ]


def people_groups(rows: Sequence[Row], setting: Setting) -> list[str]:
    """Numbers of people per image that occur in the data; none where the sweep does not ask for them."""
    first = first_measured(rows)
    return first.groups() if first and setting.sweep.by_people else []


def people_headings(rows: Sequence[Row], setting: Setting) -> list[str]:
    """Of the table by number of people."""
    names = {"1": "1 person"}
    groups = people_groups(rows, setting)
    return [setting.sweep.axis, *(names.get(group, f"{people_group(group)} people") for group in groups)]


def people_cells(row: Row, rows: Sequence[Row], setting: Setting) -> list[str]:
    """One row of it: the metric on images with so many people, with its spread."""
    groups = people_groups(rows, setting)
    return [row.cell.marked_label, *(measured_text(row, f"{setting.metric}_n{group}") for group in groups)]


def first_measured(rows: Sequence[Row]) -> Measured | None:
    """The first finished run; data, protocol and machine are read from it."""
    return next((one for row in rows for one in row.measured), None)


def measured_text(row: Row, metric: str) -> str:
    """Mean and spread of a cell, ``"51.2 ± 0.8 %"``; where pictures were lost, ``"... (2 of 4 images)"``."""
    return with_spread(row.mean(metric), row.spread(metric)) + row.on_part()


def with_spread(value: float, spread: float) -> str:
    """0.512, 0.0081 -> ``"51.2 ± 0.8 %"``."""
    return percent(value) if math.isnan(spread) else f"{100 * value:.1f} ± {100 * spread:.1f} %"


def references(rows: Sequence[Row], setting: Setting) -> dict[str, float]:
    """Chance and exact bounds of the table's metric, which only drawn scenes have."""
    for measured in (one for row in rows for one in row.measured):
        if measured.report["primary_metric"] == setting.metric:
            return dict(measured.report["references"])
    return {}


def legend(rows: Sequence[Row], setting: Setting) -> str:
    """How the numbers of the table were made, in sentences."""
    counted = [len(row.measured) for row in rows if row.measured]
    seeds = (
        f"{min(counted)} to {max(counted)}" if counted and min(counted) != max(counted) else str(max(counted or [0]))
    )
    spread = ", ± standard deviation over them" if max(counted or [0]) > 1 else ""
    strict = (
        "Strict: the same metric where a person counts only with a predicted box of their own that overlaps by 0.5. "
        if _strict(rows)
        else ""
    )
    marked = " (ours): a row that the paper does not have." if any(row.cell.ours for row in rows) else ""
    return (
        f"Mean of {seeds} {'seed' if seeds == '1' else 'seeds'}{spread}. Every run is trained to its end and evaluated "
        f"once, with its last weights, on the test split. People found: overlap of at least 0.5. {strict}"
        f"Per iteration: median; training: optimizer steps without evaluations.{marked}"
    )


def write_markdown(path: Path, rows: Sequence[Row], setting: Setting) -> str:
    """Write ``table.md`` and return its text."""
    lines = [f"# {setting.sweep.heading}", ""]
    lines += _lines(headings(rows, setting), [cells_of(row, rows, setting) for row in rows])
    if people_groups(rows, setting):
        lines += ["", f"{METRIC_NAMES[setting.metric]} by number of annotated people in the image:", ""]
        lines += _lines(people_headings(rows, setting), [people_cells(row, rows, setting) for row in rows])
    if printed := paper_people_rows(setting):
        lines += ["", paper_people_caption(setting), "", *_lines(paper_people_headings(setting), printed)]
    if board := leaderboard_rows(rows, setting):
        lines += ["", leaderboard_caption(setting), "", *_lines(leaderboard_headings(setting), board)]
    lines += ["", f"{measured_on(rows, setting)} {legend(rows, setting)}".strip()]
    if bounds := references(rows, setting):
        listed = ", ".join(f"{reference_name(name).lower()} {percent(value)}" for name, value in bounds.items())
        lines += ["", f"{METRIC_NAMES[setting.metric]}: {listed}."]
    paragraphs = [comparison(rows, setting), *gap_sentences(rows, setting), *failures(rows)]
    paragraphs += [setting.sweep.note, setting.warning(), *cautions(rows)]
    lines += [text for sentence in paragraphs if sentence for text in ("", sentence)]
    lines += ["", f"Command: `{setting.command}`"]
    text = "\n".join(lines) + "\n"
    write_text(path, text)
    return text


def measured_on(rows: Sequence[Row], setting: Setting) -> str:
    """Data and protocol of the first finished run, as a sentence."""
    first = first_measured(rows)
    if first is None:
        return "Nothing is measured yet."
    others = {measured_on_report(one.report) for row in rows for one in row.measured} - {
        measured_on_report(first.report)
    }
    differing = f" Other rows were measured on {'; '.join(sorted(others))}." if others else ""
    return (
        f"Measured on {measured_on_report(first.report)}; {setting.scale} scale, {first.iterations:,} iterations."
        f"{differing}"
    )


def cautions(rows: Sequence[Row]) -> list[str]:
    """What belongs beside every number: warnings that all runs share, rows that hardly find people, lost pictures."""
    warnings = [one.report["warnings"] for row in rows for one in row.measured]
    shared = [text for text in (warnings[0] if warnings else []) if all(text in others for others in warnings)]
    low = [row.cell.label for row in rows if row.mean("recall50") < LOW_RECALL]
    if low:
        shared.insert(
            0,
            f"Fewer than {percent(LOW_RECALL, 0)} of the people are found at IoU 0.5 by {', '.join(low)}: these scores "
            f"are not about people found{'; the strict column is' if _strict(rows) else ''}.",
        )
    return [*shared, *filter(None, [lost_pictures(rows)])]


def lost_pictures(rows: Sequence[Row]) -> str:
    """The rows that were measured on a part of the split, in a sentence; empty without any."""
    part = [f"{row.cell.label} on {row.coverage()}" for row in rows if row.coverage()]
    return f"Pictures were lost: {', '.join(part)}." if part else ""


def _lines(names: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [_line(names), _line(["---", *["---:"] * (len(names) - 1)]), *map(_line, rows)]


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
