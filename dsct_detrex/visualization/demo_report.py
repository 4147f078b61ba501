"""The report of a demonstration: what DSCT reaches, against itself without context, chance and exact bounds.

The first run is the one the page is about, the others are what it is compared with. All runs share data and protocol.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from dsct_detrex import __version__
from dsct_detrex.evaluation.cautions import found_note
from dsct_detrex.evaluation.formatting import measured_on, on_part, people_group, percent, whole
from dsct_detrex.responsible_use import RESPONSIBLE_USE
from dsct_detrex.visualization import plots
from dsct_detrex.visualization.quantities import duration, millions
from dsct_detrex.visualization.report import Card, Figure, Gallery, Note, Picture, Section, Table, write_report
from dsct_detrex.visualization.style import reference_name

_COLUMNS = {
    "acc": "Accuracy",
    "mAP": "mAP",
    "acc_any": "Top emotion right",
    "recall50": "People found",
    "mean_iou": "Mean IoU",
    "AP50": "Box AP50",
}
_REFERENCE_CARDS = {
    "chance": "guessing",
    "face_only": "the most that the face tells",
    "everything": "no model can do better",
}
_PACKAGES = ("torch", "torchvision", "numpy", "scikit-learn")


@dataclass(frozen=True)
class RunResult:
    """One trained and evaluated model.

    Attributes:
        name: short, e.g. ``"DSCT"``.
        report: ``EmotionEvaluator.report``.
        history: rows of ``metrics.jsonl``.
        parameters: number of trained parameters.
        seconds: of training.
    """

    name: str
    report: dict[str, Any]
    history: list[dict[str, Any]]
    parameters: int
    seconds: float


def write_demo_report(
    path: str | Path,
    runs: Sequence[RunResult],
    pictures: Sequence[Picture],
    references: Mapping[str, float],
    notes: Mapping[str, str],
    title: str = "DSCT: reading emotions in context",
) -> Path:
    """Write the page.

    Args:
        path: the HTML file.
        runs: the run that the page is about, then those it is compared with.
        pictures: annotated pictures, about a dozen.
        references: name -> value of the primary metric, e.g. ``chance``, ``face_only``, ``face_near``, ``everything``.
        notes: name -> text of the settings table: commands, configuration, device.
        title: heading of the page.

    Returns:
        The path written.

    Raises:
        ValueError: no run is given, or the runs were not evaluated by one protocol.
        PlotsMissingError: matplotlib is not installed.
    """
    protocols = {run.report["protocol"]["sentence"] for run in runs}
    if len(protocols) != 1:
        raise ValueError(f"write_demo_report(runs=) expects runs of one protocol. Got {sorted(protocols)}.")
    metric = runs[0].report["primary_metric"]
    sections = [_results(runs, metric, references), _learning(runs, metric, references), _classes(runs)]
    sections.append(_counts(runs, metric))
    if pictures:
        sections.append(_pictures(pictures, runs[0].name))
    sections += [_settings(runs, notes), Section("use", "Responsible use", [Note(RESPONSIBLE_USE)])]
    return write_report(path, title, _first_line(runs, metric, references), sections, _cards(runs, metric, references))


def _measured_on(run: RunResult) -> str:
    name = run.report["dataset"]["name"] or run.report["emotions"]["name"]
    measured = f"{name}, {run.report['protocol']['name']} protocol{on_part(run.report)}"
    return ", ".join(filter(None, (measured, found_note(run.report))))


def _sentence(text: str) -> str:
    """A description as a sentence: a capital first, a full stop last."""
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") or not text else ".")


def _value(run: RunResult, metric: str) -> float:
    return float(run.report["metrics"][metric])


def _marked(run: RunResult) -> str:
    """The name of a run, with the part of the split that its numbers stand on."""
    return f"{run.name}{on_part(run.report)}"


def _first_line(runs: Sequence[RunResult], metric: str, references: Mapping[str, float]) -> str:
    """The result in one sentence, against every other run and chance."""
    verb = "reads the emotion of {} of the people right" if metric == "acc" else "reaches {} mAP"
    sentences = [f"{runs[0].name} {verb.format(percent(_value(runs[0], metric)))}{on_part(runs[0].report)}."]
    sentences += [f"{run.name}: {percent(_value(run, metric))}{on_part(run.report)}." for run in runs[1:]]
    sentences += [f"Chance: {percent(references['chance'])}."] if "chance" in references else []
    return " ".join(sentences)


def _cards(runs: Sequence[RunResult], metric: str, references: Mapping[str, float]) -> list[Card]:
    name = "accuracy" if metric == "acc" else metric
    head = _value(runs[0], metric)
    cards = [Card(f"{runs[0].name}, {name}", percent(head), _measured_on(runs[0]), accent=True)]
    for run in runs[1:]:
        gap = 100 * (head - _value(run, metric))
        detail = f"{gap:+.1f} points to {runs[0].name}{on_part(run.report)}"
        detail = ", ".join(filter(None, (detail, found_note(run.report))))
        cards.append(Card(f"{run.name}, {name}", percent(_value(run, metric)), detail))
    shown = [(key, detail) for key, detail in _REFERENCE_CARDS.items() if key in references]
    return cards + [Card(reference_name(key), percent(references[key]), detail) for key, detail in shown]


def _results(runs: Sequence[RunResult], metric: str, references: Mapping[str, float]) -> Section:
    report = runs[0].report
    values = {_marked(run): _value(run, metric) for run in runs}
    written = ", ".join(f"{name} {percent(value)}" for name, value in values.items())
    lines = ", ".join(f"{reference_name(key)} {percent(value)}" for key, value in references.items())
    bars = Figure(
        plots.result_bars(values, references, metric),
        alt=f"{plots.METRIC_NAMES[metric]} by run: {written}. Reference lines: {lines or 'none'}.",
        caption="Dashed lines are references: chance, and bounds computed from how the scenes are generated. "
        "Whoever looks only at the face cannot pass its line."
        if "face_only" in references
        else "Dashed lines are references.",
    )
    columns = {key: name for key, name in _COLUMNS.items() if key in _table_metrics(report)}
    table = Table(
        ("Run", *columns.values(), f"Strict {metric}", "Parameters", "Training"),
        [_result_row(run, list(columns)) for run in runs],
        caption=f"{_sentence(report['protocol']['sentence'])} People found: IoU of at least 0.5. "
        f"{_sentence(report['strict']['sentence'])}",
    )
    blocks: list[Figure | Table | Note] = [bars, table]
    cautions = [f"{run.name}: {text}" for run in runs for text in run.report["warnings"]]
    return Section("results", "Results", [*blocks, Note(cautions)] if cautions else blocks, f"{measured_on(report)}.")


def _table_metrics(report: dict[str, Any]) -> tuple[str, ...]:
    """Accuracy compares with one emotion per person, so people with several have "top emotion right" in its place."""
    emotion = ("mAP", "acc_any") if report["emotions"]["multi_label"] else ("acc", "mAP")
    return (*emotion, "recall50", "mean_iou", "AP50")


def _result_row(run: RunResult, metrics: Sequence[str]) -> tuple[str, ...]:
    numbers = (percent(run.report["metrics"][key]) for key in metrics)
    strict = percent(run.report["strict"][run.report["primary_metric"]])
    return (_marked(run), *numbers, strict, millions(run.parameters), duration(run.seconds))


def _learning(runs: Sequence[RunResult], metric: str, references: Mapping[str, float]) -> Section:
    names = ", ".join(map(_marked, runs))
    figure = Figure(
        plots.learning_curves({_marked(run): run.history for run in runs}, metric, references),
        alt=f"Training loss and {plots.METRIC_NAMES[metric]} over the iterations; runs: {names}.",
        caption="Pale: every logged loss; strong: its running mean.",
    )
    return Section("learning", "Learning curves", [figure])


def _classes(runs: Sequence[RunResult]) -> Section:
    """AP of every emotion, and what is mistaken for what where a person shows exactly one."""
    report = runs[0].report
    shown = [row for row in report["per_class"] if row["AP"] is not None]
    best, worst = (choose(shown, key=lambda row: row["AP"]) for choose in (max, min))
    alt = f"Best {best['label']} {percent(best['AP'])}, worst {worst['label']} {percent(worst['AP'])}."
    single = not report["emotions"]["multi_label"]
    by_run = {_marked(run): run.report for run in runs}
    bars = Figure(plots.per_class_bars(by_run), f"AP per emotion. {alt}", alt, wide=False)
    table = Table(
        ("Emotion", "People", *map(_marked, runs)),
        [
            (row["label"], whole(row["people"]), *(percent(run.report["per_class"][k]["AP"]) for run in runs))
            for k, row in enumerate(report["per_class"])
        ],
        caption="Average precision per emotion.",
        wide=single,
    )
    return Section("emotions", "Emotion by emotion", [bars, _confusion(runs[0]), table] if single else [bars, table])


def _confusion(run: RunResult) -> Figure:
    labels = run.report["emotions"]["labels"]
    matrix = run.report["confusion"]["matrix"]
    wrong = [(matrix[a][b], labels[a], labels[b]) for a in range(len(labels)) for b in range(len(labels)) if a != b]
    count, annotated, read = max(wrong, key=lambda mistake: mistake[0])
    mistake = f"Most frequent mistake: {annotated} read as {read}, {whole(count)} times." if count else "No mistake."
    return Figure(
        plots.confusion_heatmap(run.report),
        alt=f"Confusion matrix of {run.name} over {', '.join(labels)}. {mistake}",
        caption=f"Confusion of {_marked(run)}: per cent of the people annotated with the row's emotion. {mistake}",
        wide=False,
    )


def _counts(runs: Sequence[RunResult], metric: str) -> Section:
    rows = runs[0].report["by_count"]
    keys = [key for key in ("acc", "mAP") if key in _table_metrics(runs[0].report)]
    headings = [f"{run.name}: {_COLUMNS[key]}" for run in runs for key in keys]
    table = Table(
        ("People per image", "Images", "People", "Emotions shown", *headings),
        [
            (
                people_group(row["group"]),
                *(whole(row[key]) for key in ("images", "people", "classes")),
                *(percent(run.report["by_count"][k][key]) for run in runs for key in keys),
            )
            for k, row in enumerate(rows)
        ],
        caption="An emotion that nobody in the row shows counts as 0 in its mAP, as in the official code.",
    )
    figure = Figure(
        plots.by_count_bars({_marked(run): run.report for run in runs}, metric),
        alt=f"{plots.METRIC_NAMES[metric]} by the number of annotated people per image; the table has the numbers.",
    )
    return Section("people", "By people per image", [figure, table])


def _pictures(pictures: Sequence[Picture], name: str) -> Section:
    lead = f"What {name} reads. Solid boxes and chips are predictions, dashed white boxes are annotations."
    return Section("pictures", "Pictures", [Gallery(pictures)], lead)


def _settings(runs: Sequence[RunResult], notes: Mapping[str, str]) -> Section:
    versions = f"dsct-detrex {__version__}, Python {platform.python_version()}, " + ", ".join(
        f"{name} {version(name)}" for name in _PACKAGES
    )
    rows = [*notes.items(), ("Protocol", runs[0].report["protocol"]["sentence"]), ("Versions", versions)]
    return Section("settings", "Settings", [Table(("What", "Value"), rows, text=True)])
