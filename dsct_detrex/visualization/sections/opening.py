"""What stands above all sections: the result in a sentence, and the numbers to take away."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from dsct_detrex.counting import counted
from dsct_detrex.evaluation.cautions import found_note
from dsct_detrex.evaluation.formatting import metric_word, on_part, percent
from dsct_detrex.visualization import plots
from dsct_detrex.visualization.blocks import Card
from dsct_detrex.visualization.runs import RunResult
from dsct_detrex.visualization.sections.words import COLUMNS
from dsct_detrex.visualization.sentences import compared
from dsct_detrex.visualization.style import reference_name

_REFERENCES = {
    "chance": "guessing",
    "face_only": "the most that the face tells",
    "everything": "no model can do better",
}
"""References that get a card, and what they mean."""


def first_line(runs: Sequence[RunResult], references: Mapping[str, float]) -> str:
    """The result in one sentence, against every other run and chance; a run alone says what it was measured on."""
    first, *others = runs
    sentences = [_reads(first)]
    sentences += [f"{run.name}: {percent(run.value(first.metric))}{on_part(run.report)}." for run in others]
    sentences += [f"Chance: {percent(references['chance'])}."] if "chance" in references else []
    if not others:
        sentences.append(_measured(first))
    return " ".join(sentences)


def cards(runs: Sequence[RunResult], references: Mapping[str, float]) -> list[Card]:
    """The score of every run, for a run alone what belongs beside it, and the references."""
    first, *others = runs
    name, head = metric_word(first.metric), first.value(first.metric)
    label = f"{first.name}, {name}" if others else plots.METRIC_NAMES[first.metric]
    made = [Card(label, percent(head), _measured_by(first), accent=True)]
    if not others:
        made += _beside(first)
    for run in others:
        value = run.value(first.metric)
        gap = f"{compared(value, head, first.name)}{on_part(run.report)}"
        made.append(
            Card(f"{run.name}, {name}", percent(value), ", ".join(filter(None, (gap.strip(), found_note(run.report)))))
        )
    return made + reference_cards(references)


def reference_cards(references: Mapping[str, float]) -> list[Card]:
    """Chance and the exact bounds, where the data have them."""
    return [Card(reference_name(k), percent(references[k]), text) for k, text in _REFERENCES.items() if k in references]


def _reads(run: RunResult) -> str:
    value = run.value(run.metric)
    if math.isnan(value):
        return f"{run.name} was measured on nobody, so there is no {metric_word(run.metric)}{on_part(run.report)}."
    if run.metric == "acc":
        return f"{run.name} reads the emotion of {percent(value)} of the people right{on_part(run.report)}."
    return f"{run.name} reaches {percent(value)} {metric_word(run.metric)}{on_part(run.report)}."


def _measured(run: RunResult) -> str:
    dataset, counts = run.report["dataset"], run.report["counts"]
    name = dataset["name"] or run.report["emotions"]["name"]
    where = f"the {dataset['split']} split of {name}" if dataset.get("split") else name
    images = dataset.get("coverage") or counted(counts["images"], "image")
    return f"Measured on {where}: {counted(counts['people'], 'person')} in {images}."


def _measured_by(run: RunResult) -> str:
    name = run.report["dataset"]["name"] or run.report["emotions"]["name"]
    measured = f"{name}, {run.report['protocol']['name']} protocol{on_part(run.report)}"
    return ", ".join(filter(None, (measured, found_note(run.report))))


def _beside(run: RunResult) -> list[Card]:
    """What a score means only together with: how many people were found, and the score of those alone."""
    strict = run.report["strict"]
    made = [
        Card("People found", percent(run.value("recall50")), "their box, at IoU 0.5"),
        Card(
            f"Strict {metric_word(run.metric)}", percent(strict[run.metric]), "only people who are found can be right"
        ),
    ]
    if run.multi_label:
        made.insert(0, Card(COLUMNS["acc_any"], percent(run.value("acc_any")), "it is among the annotated ones"))
    return made
