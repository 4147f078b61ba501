"""The paper's own numbers as rows of text: its leaderboard, its numbers by number of people, and how they are written.

Everything is as printed; what is measured here stands in columns of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from dsct_detrex.evaluation.formatting import MISSING, people_group, percent
from dsct_detrex.sweep.description import Cell, Sweep
from dsct_detrex.sweep.printed import PEOPLE_GROUPS, Printed, Quoted
from dsct_detrex.sweep.results import Row
from dsct_detrex.sweep.setting import METRIC_WORDS, Setting
from dsct_detrex.visualization.plots import METRIC_NAMES
from dsct_detrex.visualization.quantities import millions

QUOTED = "quoted"
"""Stands for a measured number of a system that is not trained here."""


def printed_percent(number: float | None) -> str:
    """A number of the paper: 37.26 -> ``"37.26 %"``."""
    return MISSING if number is None else f"{number:.2f} %"


def printed_millions(number: float | None) -> str:
    """Parameters of the paper: 22 -> ``"22 M"``."""
    return MISSING if number is None else f"{number:g} M"


def gap_text(cell: Cell, sweep: Sweep, kind: str) -> str:
    """What is known of a row where the paper prints gaps and no numbers: ``"0.41 points below 100, 50"``."""
    below = [gap for gap in sweep.gaps if gap.worse == cell.name and kind in gap.paper]
    if below:
        best = next(one.label for one in sweep.cells if one.name == below[0].better)
        return f"{below[0].paper[kind]:.2f} points below {best}"
    return "best" if any(gap.better == cell.name for gap in sweep.gaps) else MISSING


def paper_text(cell: Cell, setting: Setting) -> str:
    """What the paper prints for a row: its number, or where it prints none its gap."""
    kind = setting.paper_kind
    if not setting.sweep.prints_numbers(kind):
        return gap_text(cell, setting.sweep, kind)
    return printed_percent(cell.paper.get(kind))


def quoted_systems(setting: Setting) -> list[Quoted]:
    """Those with a number on the data set whose numbers are shown."""
    return [one for one in setting.sweep.quoted if setting.paper_kind in one.paper]


def leaderboard_caption(setting: Setting) -> str:
    """Over the leaderboard."""
    return (
        f"The leaderboard as the paper prints it, the best first. Systems marked {QUOTED} are the paper's quotations: "
        f"they are not trained here. The last two columns are measured on {setting.data} data, {setting.scale} scale."
    )


def leaderboard_headings(setting: Setting) -> list[str]:
    """Of the leaderboard."""
    names = [setting.sweep.axis, setting.paper_column, "Paper, parameters", "Networks"]
    return [*names, f"{METRIC_NAMES[setting.metric]} here", "Parameters here"]


def leaderboard_rows(rows: Sequence[Row], setting: Setting) -> list[list[str]]:
    """Our rows and the quoted systems by the printed score; none where the paper quotes nobody on this data set."""
    quoted = quoted_systems(setting)
    kind = setting.paper_kind
    board = [(one.paper[kind], [one.label, *_as_printed(one, kind), QUOTED, MISSING]) for one in quoted]
    if quoted:
        own = [row for row in rows if kind in row.cell.paper]
        board += [(row.cell.paper[kind], _own_line(row, setting)) for row in own]
    return [line for _, line in sorted(board, key=lambda item: -item[0])]


def _own_line(row: Row, setting: Setting) -> list[str]:
    label = row.cell.label if row.cell.printed_as == row.cell.label else f"{row.cell.label} ({row.cell.printed_as})"
    found = row.measured
    size = millions(found[0].parameters_total) if found else MISSING
    measured = percent(row.mean(setting.metric)) + row.on_part()
    return [label, *_as_printed(row.cell, setting.paper_kind), measured, size]


def _as_printed(system: Printed, kind: str) -> list[str]:
    """Score, parameters and networks."""
    return [printed_percent(system.paper[kind]), printed_millions(system.params_m), system.backbone or MISSING]


def paper_people_caption(setting: Setting) -> str:
    """Over the paper's table by number of people."""
    return f"The paper's {METRIC_WORDS[setting.paper_metric]} by number of annotated people in the image, as printed."


def paper_people_headings(setting: Setting) -> list[str]:
    """Of the paper's table by number of people, with its numbers of test images."""
    images = setting.sweep.images.get(setting.paper_kind, {})
    counts = [f" ({images[group]:,} images)" if group in images else "" for group in PEOPLE_GROUPS]
    return [setting.paper_column, *(f"{people_group(group)}{count}" for group, count in zip(PEOPLE_GROUPS, counts))]


def paper_people_rows(setting: Setting) -> list[list[str]]:
    """Its rows; none where the paper has none."""
    kind = setting.paper_kind
    found = [(cell, cell.paper_by_people[kind]) for cell in setting.sweep.cells if kind in cell.paper_by_people]
    return [[cell.label, *(printed_percent(numbers.get(group)) for group in PEOPLE_GROUPS)] for cell, numbers in found]
