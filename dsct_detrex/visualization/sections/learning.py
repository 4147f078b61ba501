"""How the runs learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dsct_detrex.visualization import plots
from dsct_detrex.visualization.blocks import Figure, Section
from dsct_detrex.visualization.runs import RunResult
from dsct_detrex.visualization.sentences import joined


def learning(runs: Sequence[RunResult], references: Mapping[str, float]) -> Section | None:
    """Loss and metric over the iterations; None where nothing was trained."""
    if not any(run.history for run in runs):
        return None
    metric = runs[0].metric
    parts = " Beside the total, its largest parts (of the last decoder layer)." if len(runs) == 1 else ""
    figure = Figure.drawn(
        plots.learning_curves,
        "learning",
        histories={run.marked_name: run.history for run in runs},
        metric=metric,
        references=references,
        prefix=runs[0].prefix,
        alt=f"Training loss and {plots.METRIC_NAMES[metric]} over the iterations of "
        f"{joined(run.marked_name for run in runs)}.",
        caption=f"Pale: every logged loss; strong: its running mean.{parts}",
    )
    return Section("learning", "Learning curves", [figure])
