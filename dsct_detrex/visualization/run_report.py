"""The report of one run: a training, an evaluation, a cell of a sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from dsct_detrex.visualization import sections
from dsct_detrex.visualization.blocks import Gallery, Section
from dsct_detrex.visualization.report import write_pngs, write_report
from dsct_detrex.visualization.runs import RunResult
from dsct_detrex.visualization.samples import CHOSEN_BY


def write_run_report(
    path: str | Path,
    run: RunResult,
    galleries: Sequence[Gallery],
    notes: Sequence[str],
    facts: Mapping[str, str],
    config: str = "",
    title: str = "",
) -> Path:
    """Write the page, and its plots and pictures as PNG files into the folder of the same name beside it.

    Args:
        path: the HTML file; ``report.html`` has its PNG files in ``report/``.
        galleries: pictures, see ``samples.galleries``.
        notes: sentences on what the numbers do not mean, beside those of the evaluation.
        facts: how to repeat it: name -> text.
        config: the resolved config as YAML.
        title: heading of the page.

    Returns:
        The path written.
    """
    path, runs = Path(path), [run]
    references = run.report["references"]
    shown: list[Section | None] = [
        sections.results(runs, references),
        sections.learning(runs, references),
        sections.emotions(runs),
        sections.people(runs),
        sections.groups(runs),
        sections.pictures(galleries, run.name, CHOSEN_BY),
        sections.measured(run, notes),
        sections.repeat(facts, config),
        sections.responsible_use(),
    ]
    present = [section for section in shown if section is not None]
    write_pngs(path.with_suffix(""), present)
    first = sections.first_line(runs, references)
    return write_report(path, title or run.name, first, present, sections.cards(runs, references))
