"""A calibration as tables for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from dsct_detrex.counting import counted
from dsct_detrex.evaluation.formatting import percent, whole

_SCORES = {"NLL": "negative log-likelihood", "ECE": "expected calibration error", "Brier": "Brier score"}


def outcome_tables(outcome: Mapping[str, Any], multi_label: bool) -> RenderableType:
    """What was measured on, before beside after, and emotion by emotion."""
    lines = [measured_on(outcome["data"]), outcome["protocol"], *notes(outcome, multi_label)]
    return Group(Text("\n".join(lines)), _before_and_after(outcome), _emotions(outcome))


def measured_on(data: Mapping[str, Any]) -> str:
    """``"synthetic_emotic_val, val split: 512 people in 300 images, 498 of them found; 12 more ..."``."""
    split = f", {data['split']} split" if data["split"] else ""
    people = f"{counted(data['people'], 'person')} in {counted(data['images'], 'image')}"
    left_out = f"; {whole(data['unmatched'])} more that nobody annotated left out" if data["unmatched"] else ""
    return f"{data['name']}{split}: {people}, {whole(data['found'])} of them found{left_out}"


def notes(outcome: Mapping[str, Any], multi_label: bool) -> list[str]:
    """What must be known, a line each."""
    said = [f"note: {outcome['note']} at {outcome['temperature']:.3g}."] if outcome["note"] else []
    if not multi_label:
        said.append(
            "note: people show one emotion here, the most probable one, whatever its threshold: thresholds are for "
            "those who read `emotion_thresholds`."
        )
    rows: Sequence[Mapping[str, Any]] = outcome["after"]["per_emotion"]
    return [*said, *(f"note: {row['label']}: {row['note']}." for row in rows if row["note"])]


def _before_and_after(outcome: Mapping[str, Any]) -> Table:
    table = Table()
    for number, heading in enumerate(("", "before", "after")):
        table.add_column(heading, justify="right" if number else "left")
    both = [outcome["before"], outcome["after"]]
    table.add_row("temperature", *(f"{one['temperature']:.3f}" for one in both))
    for key, words in _SCORES.items():
        table.add_row(words, *(percent(one[key]) if key == "ECE" else f"{one[key]:.4f}" for one in both))
    return table


def _emotions(outcome: Mapping[str, Any]) -> Table:
    """Arrows lead from before to after."""
    table = Table()
    for number, heading in enumerate(("emotion", "people", "threshold", "precision", "recall", "F1", "ECE")):
        table.add_column(heading, justify="right" if number else "left", overflow="fold")
    for old, new in zip(outcome["before"]["per_emotion"], outcome["after"]["per_emotion"], strict=True):
        pairs = [f"{percent(old[key], 0)} → {percent(new[key], 0)}" for key in ("precision", "recall", "f1")]
        errors = f"{percent(old['ECE'])} → {percent(new['ECE'])}"
        table.add_row(new["label"], whole(new["people"]), f"{old['value']:.2f} → {new['value']:.2f}", *pairs, errors)
    return table
