"""The same score by gender and by age, where the data set names them, with what chance allows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dsct_detrex.evaluation.formatting import between, percent, whole
from dsct_detrex.visualization import plots
from dsct_detrex.visualization.blocks import Block, Figure, Note, Section, Table
from dsct_detrex.visualization.runs import RunResult
from dsct_detrex.visualization.sections.words import COLUMNS

_READ_IT = (
    "An annotator chose these words from a picture, as they chose the emotions; they say nothing of how somebody sees "
    "themselves. Do not use a score as proof that a model treats people alike: intervals that overlap may hide a "
    "difference, and intervals that do not may come from what the pictures of a group are like."
)
_DRAWN = (
    "In drawn scenes gender and age are drawn without a look at the emotions, so that differences between groups are "
    "by construction none: what is seen here is chance, or the model's own."
)


def groups(runs: Sequence[RunResult]) -> Section | None:
    """None where the data set names neither, or the runs were not measured on the same groups."""
    first = runs[0]
    if not _named(first) or any(_named(run) != _named(first) for run in runs):
        return None
    blocks: list[Block] = [_figure(runs), *_tables(runs)]
    blocks.append(Note([*([_DRAWN] if _is_drawn(first) else []), _READ_IT]))
    names = " and ".join(table["attribute"] for table in first.report["groups"])
    return Section("groups", f"By {names}", blocks)


def _named(run: RunResult) -> list[tuple[str, str]]:
    """Attribute and group of each row; reports of earlier versions have none."""
    return [(table["attribute"], row["group"]) for table in run.report.get("groups", []) for row in table["rows"]]


def _is_drawn(run: RunResult) -> bool:
    return str(run.report["dataset"]["name"]) == "synthetic"


def _figure(runs: Sequence[RunResult]) -> Figure:
    metric = runs[0].metric
    name = plots.METRIC_NAMES[metric]
    return Figure.drawn(
        plots.group_intervals,
        "groups",
        reports={run.marked_name: run.report for run in runs},
        metric=metric,
        alt=f"{name} of each group with its 95 % interval; the tables have the numbers.",
        caption=f"{name} with its 95 % interval, by bootstrap over images; a ring has none. Dashed: everybody.",
    )


def _tables(runs: Sequence[RunResult]) -> Iterator[Table]:
    first, several = runs[0], len(runs) > 1
    metric = first.metric
    for place, table in enumerate(first.report["groups"]):
        columns = [f"{run.name}: {COLUMNS[metric]}" if several else COLUMNS[metric] for run in runs]
        headings = [heading for column in columns for heading in (column, "95 % interval")]
        chance = ["By chance"] if metric == "mAP" else []
        rows = []
        for number, row in enumerate(table["rows"]):
            cells = [cell for run in runs for cell in _cells(run, place, number)]
            shown = [percent(row["chance"])] if chance else []
            rows.append((row["group"], *(whole(row[key]) for key in ("images", "people", "classes")), *cells, *shown))
        yield Table(
            (table["attribute"].capitalize(), "Images", "People", "Emotions shown", *headings, *chance),
            rows,
            caption=_caption(metric, table["unnamed"]),
        )


def _cells(run: RunResult, place: int, number: int) -> tuple[str, str]:
    row = run.report["groups"][place]["rows"][number]
    return percent(row[run.metric]), row["note"] or between(row[f"{run.metric}_interval"])


def _caption(metric: str, unnamed: int) -> str:
    parts = []
    if metric == "mAP":
        parts.append(
            "mAP over the emotions that somebody of the row shows; by chance: the share of people who show them, which "
            "is what a blind guess reaches."
        )
    if unnamed:
        parts.append(f"Of {whole(unnamed)} people it is not said.")
    return " ".join(parts)
