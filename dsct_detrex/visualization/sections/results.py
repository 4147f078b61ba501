"""What the runs reach, in a plot and a table, with what must be said beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dsct_detrex.evaluation.formatting import MISSING, measured_on, metric_word, percent
from dsct_detrex.visualization import plots
from dsct_detrex.visualization.blocks import Block, Figure, Note, Section, Table
from dsct_detrex.visualization.quantities import duration, millions
from dsct_detrex.visualization.runs import RunResult
from dsct_detrex.visualization.sections.words import COLUMNS, sentence, table_metrics
from dsct_detrex.visualization.style import reference_name


def results(runs: Sequence[RunResult], references: Mapping[str, float]) -> Section:
    """A run alone without references has nothing to be plotted beside: its table says it all."""
    cautions = _cautions(runs)
    blocks: list[Block] = [Note(cautions)] if cautions else []
    if references or len(runs) > 1:
        blocks.append(_bars(runs, references))
    blocks.append(_table(runs))
    return Section("results", "Results", blocks, f"{measured_on(runs[0].report)}.")


def _cautions(runs: Sequence[RunResult]) -> list[str]:
    """Of several runs each says whose it is."""
    alone = len(runs) == 1
    return [sentence(text) if alone else f"{run.name}: {text}" for run in runs for text in run.report["warnings"]]


def _bars(runs: Sequence[RunResult], references: Mapping[str, float]) -> Figure:
    metric = runs[0].metric
    values = {run.marked_name: run.value(metric) for run in runs}
    written = ", ".join(f"{name} {percent(value)}" for name, value in values.items())
    lines = ", ".join(f"{reference_name(key)} {percent(value)}" for key, value in references.items())
    caption = "Dashed lines are references" if references else ""
    if "face_only" in references:
        caption += (
            ": chance, and bounds computed from how the scenes are generated. Whoever looks only at the face cannot "
            "pass its line, over many people"
        )
    return Figure.drawn(
        plots.result_bars,
        "results",
        values=values,
        references=references,
        metric=metric,
        alt=f"{plots.METRIC_NAMES[metric]} by run: {written}. Reference lines: {lines or 'none'}.",
        caption=sentence(caption),
    )


def _table(runs: Sequence[RunResult]) -> Table:
    report = runs[0].report
    columns = [key for key in COLUMNS if key in table_metrics(runs[0])]
    extra = []
    if any(run.parameters is not None for run in runs):
        extra.append("Parameters")
    if any(run.seconds is not None for run in runs):
        extra.append("Training")
    return Table(
        ("Run", *(COLUMNS[key] for key in columns), f"Strict {metric_word(runs[0].metric)}", *extra),
        [_row(run, columns, extra) for run in runs],
        caption=f"{sentence(report['protocol']['sentence'])} People found: IoU of at least 0.5. "
        f"{sentence(report['strict']['sentence'])}",
    )


def _row(run: RunResult, metrics: Sequence[str], extra: Sequence[str]) -> tuple[str, ...]:
    numbers = (percent(run.value(key)) for key in metrics)
    strict = percent(run.report["strict"][run.metric])
    words = {
        "Parameters": MISSING if run.parameters is None else millions(run.parameters),
        "Training": MISSING if run.seconds is None else duration(run.seconds),
    }
    return (run.marked_name, *numbers, strict, *(words[name] for name in extra))
