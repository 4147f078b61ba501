"""The report of a demonstration: what DSCT reaches, against itself without context, chance and exact bounds.

The first run is the one the page is about, the others are what it is compared with. All runs share data and protocol.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from dsct_detrex.visualization import sections
from dsct_detrex.visualization.blocks import Gallery, Picture, Section
from dsct_detrex.visualization.report import write_report
from dsct_detrex.visualization.runs import RunResult


def write_demo_report(
    path: str | Path,
    runs: Sequence[RunResult],
    pictures: Sequence[Picture],
    references: Mapping[str, float],
    notes: Mapping[str, str],
    title: str = "DSCT: reading emotions in context",
    explanation: Section | None = None,
    fusion: Section | None = None,
) -> Path:
    """Write the page.

    Args:
        path: the HTML file.
        runs: the run that the page is about, then those it is compared with.
        pictures: annotated pictures, about a dozen.
        references: name -> value of the primary metric, e.g. ``chance``, ``face_only``, ``face_near``, ``everything``.
        notes: name -> text of the settings table: commands, configuration, device.
        title: heading of the page.
        explanation: see ``sections.explanation``; None leaves it out.
        fusion: see ``sections.fusion``; likewise.

    Returns:
        The path written.

    Raises:
        ValueError: no run is given, or the runs were not evaluated by one protocol.
    """
    protocols = {run.report["protocol"]["sentence"] for run in runs}
    if len(protocols) != 1:
        raise ValueError(f"write_demo_report(runs=) expects runs of one protocol. Got {sorted(protocols)}.")
    facts = {**notes, "Protocol": runs[0].report["protocol"]["sentence"], "Versions": sections.versions()}
    shown: list[Section | None] = [
        sections.results(runs, references),
        sections.learning(runs, references),
        sections.emotions(runs),
        sections.people(runs),
        sections.groups(runs),
        explanation,
        fusion,
        sections.pictures([Gallery(pictures)], runs[0].name),
        sections.repeat(facts),
        sections.responsible_use(),
    ]
    present = [section for section in shown if section is not None]
    return write_report(path, title, sections.first_line(runs, references), present, sections.cards(runs, references))
