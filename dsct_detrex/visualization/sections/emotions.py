"""Emotion by emotion: what is read well, precision over recall, and what is taken for what."""

from __future__ import annotations

from collections.abc import Sequence

from dsct_detrex.evaluation.formatting import percent, whole
from dsct_detrex.visualization import plots
from dsct_detrex.visualization.blocks import Block, Figure, Section, Table
from dsct_detrex.visualization.runs import RunResult
from dsct_detrex.visualization.sentences import best_and_worst, most_frequent_mistake


def emotions(runs: Sequence[RunResult]) -> Section:
    first = runs[0]
    curves = [_precision_recall(first)] if first.report.get("pr_curves") and first.report.get("pr_mean") else []
    blocks: list[Block] = [_bars(runs)]
    if first.multi_label:
        together = [_together(first)] if "together" in first.report else []
        blocks += [_table(runs), *curves, *together]
    else:
        blocks += [_confusion(first), *curves, _table(runs)]
    return Section("emotions", "Emotion by emotion", blocks)


def _bars(runs: Sequence[RunResult]) -> Figure:
    first = runs[0]
    name = "average precision" if first.multi_label else "share of its people read right"
    said = best_and_worst(dict(zip((label for label, _ in first.labels()), first.emotion_values())), "emotions")
    return Figure.drawn(
        plots.emotion_bars,
        "emotions",
        values={run.marked_name: run.emotion_values() for run in runs},
        labels=first.labels(),
        name=name,
        alt=f"By emotion, {name}. {said}",
        caption=f"{name.capitalize()}. {said}",
        wide=False,
    )


def _precision_recall(run: RunResult) -> Figure:
    named = "emotion is a thin line" if run.multi_label else "emotion has its colour"
    return Figure.drawn(
        plots.precision_recall,
        "precision_recall",
        report=run.report,
        alt=f"Precision over recall of {run.marked_name}, of each emotion and their mean.",
        caption=f"Precision over recall of {run.marked_name}. Each {named}; bold: the mean of those that occur.",
    )


def _confusion(run: RunResult) -> Figure:
    labels = run.report["emotions"]["labels"]
    mistake = most_frequent_mistake(run.report)
    return Figure.drawn(
        plots.confusion_heatmap,
        "confusion",
        report=run.report,
        alt=f"Confusion matrix of {run.marked_name} over {', '.join(labels)}. {mistake}",
        caption=f"Confusion of {run.marked_name}: per cent of the people annotated with the row's emotion. {mistake}",
        wide=False,
    )


def _together(run: RunResult) -> Figure:
    return Figure.drawn(
        plots.together_heatmaps,
        "together",
        report=run.report,
        alt="Two tables of emotions by emotions: how often the column's is annotated, and read by "
        f"{run.marked_name}, for people annotated with the row's.",
        caption="Of the people annotated with the row's emotion, the share annotated (left) and read (right) with the "
        "column's; the darker, the more, and on the diagonal of the right one what is right. Of each person as many "
        "emotions are read as are annotated, the most probable ones.",
    )


def _table(runs: Sequence[RunResult]) -> Table:
    first = runs[0]
    several = len(runs) > 1
    names = ["AP"] if first.multi_label else ["Read right", "AP"]
    columns = [f"{run.marked_name}: {name}" if several else name for run in runs for name in names]
    rows = []
    for k, (label, count) in enumerate(first.labels()):
        cells = []
        for run in runs:
            values = [run.report["per_class"][k]["AP"]]
            cells += [percent(value) for value in (values if first.multi_label else [run.emotion_values()[k], *values])]
        rows.append((label, whole(count), *cells))
    caption = (
        "AP: average precision." if first.multi_label else "Read right: share of its people. AP: average precision."
    )
    return Table(("Emotion", "People", *columns), rows, caption=caption, wide=not first.multi_label)
