"""Sentences that belong beside the numbers of a report: what they do not mean, and on what they do not stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dsct_detrex.counting import counted
from dsct_detrex.evaluation.formatting import metric_word, percent

LOW_RECALL = 0.5
"""Share of people found at IoU 0.5 below which an emotion score says little about people that were found."""

_ONE_PERSON = (
    "One person a picture is annotated, so the AP of the boxes counts other people whom the model finds as wrong: read "
    "it as a lower bound."
)


def cautions(report: Mapping[str, Any], unreadable: int, examples: Sequence[str], cut_short: bool) -> list[str]:
    """The sentences of one report, the gravest first.

    Args:
        report: all but its ``warnings``, see ``report.py``.
        unreadable, examples, cut_short: see ``report.Shortfall``.
    """
    sentences = [
        low_recall(report),
        _coverage(report, unreadable, examples, cut_short),
        *report["dataset"]["warnings"],
        _missed(report),
        _absent(report),
        _ONE_PERSON if _one_person_each(report) else None,
    ]
    return [sentence for sentence in sentences if sentence is not None]


def found_note(report: Mapping[str, Any]) -> str:
    """``"only 2.2 % of the people found"`` for the place under a score, where few are; else nothing."""
    found = report["metrics"]["recall50"]
    return "" if low_recall(report) is None else f"only {percent(found)} of the people found"


def low_recall(report: Mapping[str, Any]) -> str | None:
    """Says that a score is not about people found, where fewer than ``LOW_RECALL`` of them are."""
    found, name = report["metrics"]["recall50"], report["primary_metric"]
    if not report["counts"]["people"] or found is None or found >= LOW_RECALL:
        return None
    score, strict = percent(report["metrics"][name]), percent(report["strict"][name])
    return (
        f"{metric_word(name)} {score}, but only {percent(found)} of the people are found at IoU 0.5: this score is not "
        f"about people found. Under the strict protocol it is {strict}."
    )


def _coverage(report: Mapping[str, Any], unreadable: int, examples: Sequence[str], cut_short: bool) -> str | None:
    dataset, lost = report["dataset"], report["counts"]["lost_images"]
    before, emptied = lost - unreadable, report["counts"]["emptied_images"]
    first = f" (first: {examples[0]})" if examples else ""
    reasons = [
        *([f"{before:,} missing or broken when the data was read"] if before else []),
        *([f"{emptied:,} left out because nobody in them can be used"] if emptied else []),
        *([f"{unreadable:,} unreadable while evaluating{first}"] if unreadable else []),
        *(["a short evaluation of some batches"] if cut_short else []),
    ]
    if dataset["coverage"] is None and not reasons:
        return None
    counts = report["counts"]
    measured = dataset["coverage"] or f"{counts['images']:,} of {counted(counts['listed_images'], 'image')}"
    return f"Measured on {measured}{': ' if reasons else ''}{', '.join(reasons)}."


def _missed(report: Mapping[str, Any]) -> str | None:
    missed, people = report["counts"]["missed_people"], report["counts"]["people"]
    if not missed:
        return None
    if report["protocol"]["name"] == "strict":
        return f"{missed:,} of {people:,} people are not found; they count as wrong."
    return f"{missed} of {people} people are in images without any prediction; they count as wrong."


def _absent(report: Mapping[str, Any]) -> str | None:
    absent = [row["label"] for row in report["per_class"] if not row["people"]]
    if not absent:
        return None
    return f"Nobody shows {', '.join(absent)}; mAP counts their AP as 0, as scikit-learn does."


def _one_person_each(report: Mapping[str, Any]) -> bool:
    return all(row["group"] == "1" for row in report["by_count"] if row["people"]) and report["counts"]["people"] > 1
