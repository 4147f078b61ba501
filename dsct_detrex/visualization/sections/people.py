"""The same numbers by the number of people in a picture, as the paper's Table 4."""

from __future__ import annotations

from collections.abc import Sequence

from dsct_detrex.evaluation.formatting import people_group, percent, whole
from dsct_detrex.visualization import plots
from dsct_detrex.visualization.blocks import Block, Figure, Section, Table
from dsct_detrex.visualization.runs import RunResult
from dsct_detrex.visualization.sections.words import COLUMNS, table_metrics


def people(runs: Sequence[RunResult]) -> Section | None:
    """None where every picture has one person, or none: there is nothing to compare."""
    first = runs[0]
    groups = [row["group"] for row in first.report["by_count"] if row["people"]]
    if len(groups) < 2:
        return None
    keys = [key for key in ("acc", "mAP") if key in table_metrics(first)]
    several = len(runs) > 1
    headings = [f"{run.name}: {COLUMNS[key]}" if several else COLUMNS[key] for run in runs for key in keys]
    table = Table(
        ("People per image", "Images", "People", "Emotions shown", *headings),
        [
            (
                people_group(row["group"]),
                *(whole(row[key]) for key in ("images", "people", "classes")),
                *(percent(run.report["by_count"][k][key]) for run in runs for key in keys),
            )
            for k, row in enumerate(first.report["by_count"])
        ],
        caption="An emotion that nobody in the row shows counts as 0 in its mAP, as in the official code.",
    )
    figure: Block = Figure.drawn(
        plots.by_count_bars,
        "people",
        reports={run.marked_name: run.report for run in runs},
        metric=first.metric,
        alt=f"{plots.METRIC_NAMES[first.metric]} by annotated people per image; the table has the numbers.",
    )
    return Section("people", "By people per image", [figure, table])
