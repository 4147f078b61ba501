"""Whether models look at what tells the emotion: shares of context weight, and what painting a cause out changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dsct_detrex.counting import counted
from dsct_detrex.evaluation.formatting import percent
from dsct_detrex.visualization import plots
from dsct_detrex.visualization.blocks import Block, Figure, Note, Section

_LEAD = (
    "Drawn scenes know their causes, so it can be measured whether a model looks at them, and whether it needs them: "
    "docs/explain.md."
)


def explanation(content: Mapping[str, Any], causes: Sequence[str], example: plots.ContextMap | None) -> Section | None:
    """One figure each for where weight lies and for what painting out changes; None where nothing was measured.

    Args:
        content: ``groups`` and ``checkpoints`` (``explain/results.py``).
        causes: names of what was painted out.
        example: a person to show, or None.
    """
    checkpoints, groups = content["checkpoints"], content["groups"]
    if not checkpoints:
        return None
    blocks: list[Block] = []
    looking = [one for one in checkpoints if one["shares"]]
    if looking and example:
        blocks.append(
            Figure.drawn(
                plots.context_picture,
                "contexts",
                shown=example,
                groups=groups,
                alt=f"A scene with the contexts of one person, {example.caption}.",
                caption="Circles are the contexts that were taken in, their area the weight, their colour what they "
                "lie on; dots are contexts that were not.",
            )
        )
    if looking:
        blocks.append(
            Figure.drawn(
                plots.share_bars,
                "shares",
                checkpoints=checkpoints,
                groups=groups,
                alt="Share of context weight by what it lies on: " + "; ".join(_shares(one, groups) for one in looking),
                caption="Thin lines are 95 % intervals over images.",
            )
        )
    blocks.append(
        Figure.drawn(
            plots.change_bars,
            "painted_out",
            checkpoints=checkpoints,
            causes=causes,
            alt="Change of the predicted emotion's probability by cause: "
            + "; ".join(_changes(one) for one in checkpoints),
            caption="The thick lines are what a reader of all cues would change, by Bayes' rule. Somebody else's "
            "object and face should change nothing.",
        )
    )
    notes = [f"{one['name']} {one['note']}." for one in checkpoints if one["note"]]
    if notes:
        blocks.append(Note(notes))
    return Section("explanation", "Is the explanation right?", blocks, f"{_LEAD} {_measured_on(checkpoints)}")


def _measured_on(checkpoints: Sequence[Mapping[str, Any]]) -> str:
    said = [f"{one['name']}: {one['found']} of {counted(one['people'], 'person')} found" for one in checkpoints]
    return f"Measured on {counted(checkpoints[0]['images'], 'unseen scene')} ({', '.join(said)})."


def _shares(checkpoint: Mapping[str, Any], groups: Sequence[str]) -> str:
    weights = checkpoint["shares"][0]["weight"]
    return f"{checkpoint['name']} " + ", ".join(f"{group} {percent(w)}" for group, w in zip(groups, weights))


def _changes(checkpoint: Mapping[str, Any]) -> str:
    told = [row for row in checkpoint["changes"] if row["change"] is not None]
    return f"{checkpoint['name']} " + ", ".join(f"{row['cause']} {100 * row['change']:+.1f} points" for row in told)
