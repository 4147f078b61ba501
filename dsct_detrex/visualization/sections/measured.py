"""What a run was measured on, in sentences: the data set, what was left out of it, what its numbers do not mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dsct_detrex.counting import counted
from dsct_detrex.evaluation.formatting import people_group, whole
from dsct_detrex.visualization.blocks import Block, Note, Section, Table
from dsct_detrex.visualization.runs import RunResult
from dsct_detrex.visualization.sections.words import sentence


def measured(run: RunResult, notes: Sequence[str] = ()) -> Section:
    """The split, its counts and the findings of the reader; the cautions of the evaluation stand beside its results.

    Args:
        notes: further sentences, e.g. that the best weights were chosen on this split.
    """
    report = run.report
    facts = {name: text for name, text in _facts(report).items() if text}
    blocks: list[Block] = [Table(("What", "Value"), list(facts.items()), text=True, fixed=False)]
    if notes:
        blocks.append(Note([sentence(text) for text in notes]))
    return Section("data", "What it was measured on", blocks)


def _facts(report: Mapping[str, Any]) -> dict[str, str]:
    dataset, counts = report["dataset"], report["counts"]
    findings = [sentence(text) for text in dataset.get("findings", ())]
    return {
        "Data set": dataset["name"] or report["emotions"]["name"],
        "Split": dataset.get("split") or "not stated by the data set",
        "Annotations": dataset.get("source") or "",
        "Boxes": dataset.get("boxes") or "",
        "Description": dataset["description"],
        "Images": dataset.get("coverage") or f"all {whole(counts['images'])}",
        "People": _people(report),
        "Emotions": f"{len(report['emotions']['labels'])}, "
        + ("several a person" if report["emotions"]["multi_label"] else "one a person"),
        "Left out or mended": " ".join(findings) or "nothing",
        "Protocol": sentence(report["protocol"]["sentence"]),
    }


def _people(report: Mapping[str, Any]) -> str:
    counts = report["counts"]
    groups = [
        f"{whole(row['people'])} in images of {people_group(row['group'])}"
        for row in report["by_count"]
        if row["people"]
    ]
    more = f" ({', '.join(groups)})" if len(groups) > 1 else ""
    empty = counts["images_without_people"]
    return f"{whole(counts['people'])}{more}" + (f"; {counted(empty, 'image')} without anybody" if empty else "")
