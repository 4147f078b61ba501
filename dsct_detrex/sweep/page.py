"""``report.html``: the sweep on one self-contained page, in the look of every report of this package."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from dsct_detrex.evaluation.formatting import MISSING, percent
from dsct_detrex.sweep.comparison import comparison, gap_sentences
from dsct_detrex.sweep.efficiency import efficiency_caption, plot_efficiency
from dsct_detrex.sweep.paper_tables import (
    leaderboard_caption,
    leaderboard_headings,
    leaderboard_rows,
    paper_people_caption,
    paper_people_headings,
    paper_people_rows,
    paper_text,
)
from dsct_detrex.sweep.plot import plot_by_people, plot_sweep, shows_paper
from dsct_detrex.sweep.results import Result, Row
from dsct_detrex.sweep.runs import Run
from dsct_detrex.sweep.setting import METRIC_WORDS, Setting
from dsct_detrex.sweep.table import (
    cautions,
    cells_of,
    failures,
    first_measured,
    headings,
    legend,
    lost_pictures,
    measured_on,
    measured_text,
    people_cells,
    people_groups,
    people_headings,
    references,
)
from dsct_detrex.visualization import Card, Figure, Note, Section, Table, write_report
from dsct_detrex.visualization.plots import METRIC_NAMES
from dsct_detrex.visualization.quantities import duration
from dsct_detrex.visualization.sections import reference_cards, responsible_use
from dsct_detrex.visualization.sentences import highest, joined, ranking

PAGE = "report.html"
"""Of a run, in its folder."""


def write_page(path: Path, rows: Sequence[Row], setting: Setting) -> Path:
    """Write the page."""
    sweep = setting.sweep
    sections = [_results(rows, setting), _runs(rows, setting), _settings(rows, setting), responsible_use()]
    title = sweep.heading
    return write_report(path, title, first_line(rows, setting), sections, _cards(rows, setting))


def first_line(rows: Sequence[Row], setting: Setting) -> str:
    """The result in a sentence or two."""
    measured = [row for row in rows if row.values(setting.metric)]
    ranked = ranking(
        [(row.cell.label, row.mean(setting.metric), measured_text(row, setting.metric)) for row in measured],
        METRIC_WORDS[setting.metric],
        f"{setting.data} data",
    )
    return f"{ranked} {comparison(rows, setting)}".strip() if ranked else "No cell has been measured yet."


def _cards(rows: Sequence[Row], setting: Setting) -> list[Card]:
    done = sum(len(row.measured) for row in rows)
    planned = sum(len(row.results) for row in rows)
    failed = sum(len(row.failures) for row in rows)
    cards = []
    if measured := [row for row in rows if row.values(setting.metric)]:
        best = max(measured, key=lambda row: row.mean(setting.metric))
        spread = best.spread(setting.metric)
        detail = "one seed" if math.isnan(spread) else f"± {100 * spread:.1f} over {len(best.measured)} seeds"
        detail = ", ".join(filter(None, (detail, best.coverage())))
        cards.append(Card(_best(measured, setting), percent(best.mean(setting.metric)), detail, True))
    cards.append(Card("Runs finished", f"{done} of {planned}", f"{failed} failed" if failed else "none failed"))
    return cards + reference_cards(references(rows, setting))


def _best(measured: Sequence[Row], setting: Setting) -> str:
    """Whose the number of the first card is; a row alone is the best of nothing."""
    word = METRIC_WORDS[setting.metric]
    if len(measured) == 1:
        return f"{measured[0].cell.label}, {word}"
    return f"{joined(highest({row.cell.label: row.mean(setting.metric) for row in measured}))}, best {word}"


def _results(rows: Sequence[Row], setting: Setting) -> Section:
    said = ", ".join(
        f"{row.cell.marked_label} {measured_text(row, setting.metric)} (paper {paper_text(row.cell, setting)})"
        for row in rows
    )
    bounds = references(rows, setting)
    figure = Figure(
        plot_sweep(rows, setting, "svg"),
        alt=f"{METRIC_NAMES[setting.metric]} by {setting.sweep.axis.lower()}: {said}.",
        caption="Dots: mean, bar: ± standard deviation, pale dots: single seeds."
        + (" Diamonds: the paper's numbers." if shows_paper(rows, setting) else "")
        + (" Dashed lines: chance, and bounds computed exactly from how the scenes are drawn." if bounds else "")
        + f" {lost_pictures(rows)}".rstrip(),
    )
    table = Table(
        headings(rows, setting), [cells_of(row, rows, setting) for row in rows], caption=legend(rows, setting)
    )
    warnings = [text for text in (setting.warning(), setting.sweep.note) if text]
    warnings += cautions(rows)
    failed, gaps = failures(rows), gap_sentences(rows, setting)
    blocks: list[Figure | Table | Note] = [
        *([Note(warnings)] if warnings else []),
        figure,
        table,
        *_people(rows, setting),
        *_leaderboard(rows, setting),
        *([Note(gaps)] if gaps else []),
        *([Note(failed)] if failed else []),
    ]
    return Section("results", "Results", blocks, measured_on(rows, setting))


def _people(rows: Sequence[Row], setting: Setting) -> list[Figure | Table]:
    """Plot and tables by number of people, where the sweep asks for them and something is measured or printed."""
    name = METRIC_NAMES[setting.metric]
    blocks: list[Figure | Table] = []
    if people_groups(rows, setting):
        blocks += [
            Figure(
                plot_by_people(rows, setting, "svg"),
                alt=f"{name} by number of people in the image, one line for each row of the table above.",
                caption=f"{name} on images with so many annotated people. Points: mean, bars: ± standard deviation."
                + f" {lost_pictures(rows)}".rstrip(),
            ),
            Table(people_headings(rows, setting), [people_cells(row, rows, setting) for row in rows]),
        ]
    if printed := paper_people_rows(setting):
        blocks.append(Table(paper_people_headings(setting), printed, caption=paper_people_caption(setting)))
    return blocks


def _leaderboard(rows: Sequence[Row], setting: Setting) -> list[Figure | Table]:
    """The paper's leaderboard with ours beside it, and score over parameters, where the sweep asks for them."""
    blocks: list[Figure | Table] = []
    if setting.sweep.efficiency:
        blocks.append(
            Figure(
                plot_efficiency(rows, setting, "svg"),
                alt=f"{METRIC_NAMES[setting.metric]} over millions of parameters; the table below has the numbers.",
                caption=efficiency_caption(setting),
            )
        )
    if board := leaderboard_rows(rows, setting):
        blocks.append(Table(leaderboard_headings(setting), board, caption=leaderboard_caption(setting), text=True))
    return blocks


def _runs(rows: Sequence[Row], setting: Setting) -> Section:
    results = [result for row in rows for result in row.results]
    table = Table(
        ("Run", "Seed", METRIC_NAMES[setting.metric], "Per iteration", "Training", "State"),
        [_run_row(result, setting) for result in results],
        caption="The name of a run leads to its own page, in the same folder as this one.",
        links=[_page_of(result.run) for result in results],
    )
    return Section("runs", "Every run", [table])


def _page_of(run: Run) -> str:
    """Its own page as a URL relative to that of the sweep; empty where it has none."""
    return quote(f"{run.short_name}/{PAGE}") if (run.folder / PAGE).is_file() else ""


def _run_row(result: Result, setting: Setting) -> tuple[str, ...]:
    run, measured = result.run, result.measured
    if measured is None:
        return (run.cell.marked_label, str(run.seed), MISSING, MISSING, MISSING, result.standing.value)
    speed = measured.seconds_per_iteration
    return (
        run.cell.marked_label,
        str(run.seed),
        percent(measured.value(setting.metric)) + (f" ({measured.coverage})" if measured.coverage else ""),
        MISSING if math.isnan(speed) else f"{speed:.3f} s",
        duration(measured.training_seconds),
        result.standing.value,
    )


def _settings(rows: Sequence[Row], setting: Setting) -> Section:
    facts = {
        "Command": setting.command,
        "Sweep": f"{setting.sweep.name}: {len(rows)} cells, {setting.seeds} seeds each, {setting.scale} scale",
        "Every cell": f"{setting.sweep.base} {' '.join(setting.sweep.overrides)}".strip(),
    }
    if setting.sweep.paper_table:
        printed = f"numbers as printed there, {MISSING} where not known"
        facts["Paper"] = f"arXiv:2404.17205, {setting.sweep.paper_table}; {printed}"
    if first := first_measured(rows):
        environment = first.environment
        packages = environment.get("packages", {})
        versions = [f"dsct-detrex {environment.get('dsct_detrex')}", f"Python {environment.get('python')}"]
        versions += [f"{name} {packages[name]}" for name in ("torch", "torchvision", "numpy") if packages.get(name)]
        facts |= {
            "Data": first.report["dataset"].get("headline") or first.report["dataset"]["description"] or setting.data,
            "Protocol": first.report["protocol"]["sentence"],
            "Machine": _machines(rows),
            "Versions": ", ".join(versions),
        }
    cells = Table(
        (setting.sweep.axis, "Overrides"),
        [(row.cell.marked_label, " ".join(row.cell.overrides) or MISSING) for row in rows],
        caption="What makes each row, beyond what all have in common.",
        text=True,
    )
    return Section("settings", "Settings", [Table(("What", "Value"), list(facts.items()), text=True), cells])


def _machines(rows: Sequence[Row]) -> str:
    """Every device the runs were on, with threads; times compare only between runs of one machine."""
    environments = [one.environment for row in rows for one in row.measured]
    kinds = {
        f"{one.get('device', '?')}, {one.get('threads', '?')} thread(s), {one.get('platform', '?')}"
        for one in environments
    }
    return "; ".join(sorted(kinds))
