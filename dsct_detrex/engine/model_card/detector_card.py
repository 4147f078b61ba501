"""The card of a detector of things: what it finds, how well, and what such weights are a start for."""

from __future__ import annotations

from dsct_detrex.engine.model_card.facts import Facts
from dsct_detrex.engine.model_card.front_matter import front_matter
from dsct_detrex.engine.model_card.tables import chosen_by, data_words, picture_size, table, terms, training
from dsct_detrex.evaluation.formatting import percent, whole
from dsct_detrex.responsible_use import RESPONSIBLE_USE

_SCORES = {"bbox/AP": "AP (COCO)", "bbox/AP50": "AP50", "bbox/AP75": "AP75"}
_OF_GROUP, _OF_CLASS = "bbox/AP50-", "bbox/AP-"


def detector_text(facts: Facts) -> str:
    """The whole card, without its last line."""
    sections = (
        front_matter(facts),
        f"# {facts.model}: things of {facts.data_title}\n",
        _opening(facts),
        f"## Data\n\n{data_words(facts)}",
        f"## Scores\n\n{_scores(facts)}",
        f"## Training\n\n{training(facts)}",
        "## What it is for\n\nA start for DSCT, which borrows the queries of a detector as contexts: they recognise "
        "things before anybody's emotions are learnt.\n",
        "## What it is not for\n\n* watching people, or deciding about them: faces and bodies are among what it finds "
        "where its data annotate them;\n* reading emotions: it knows none.\n",
        "\n\n".join(RESPONSIBLE_USE) + "\n",
        f"## Terms\n\n{terms(facts)}",
        f"## How to use it\n\n{_use(facts)}",
    )
    return "\n".join(sections)


def _opening(facts: Facts) -> str:
    names = facts.emotions.names
    note = f"\n\n**{facts.provenance.note}**" if facts.provenance.note else ""
    rows = {
        "file": f"`{facts.file}`, written by dsct_detrex {facts.provenance.package_version}",
        "model": facts.model,
        "parameters": whole(facts.parameters),
        "classes": f"{len(names)}: {', '.join(names)}",
        "pictures": picture_size(facts),
    }
    return f"A detector of things: it reads no emotions.{note}\n\n{table(rows)}"


def _scores(facts: Facts) -> str:
    metrics = facts.provenance.metrics
    rows = {words: percent(metrics[name]) for name, words in _SCORES.items() if name in metrics}
    if not rows:
        return "No evaluation belongs to these weights; `dsct eval` makes one.\n"
    rows |= {
        f"AP50 of {name.removeprefix(_OF_GROUP)}": percent(value)
        for name, value in metrics.items()
        if name.startswith(_OF_GROUP)
    }
    each = ", ".join(
        f"{name.removeprefix(_OF_CLASS)} {percent(value)}"
        for name, value in metrics.items()
        if name.startswith(_OF_CLASS)
    )
    parts = [
        f"Boxes measured on {facts.measured_title} as COCO does, all sizes alike.{chosen_by(facts)}",
        table(rows).rstrip("\n"),
        *([f"AP of each class: {each}."] if each else []),
    ]
    return "\n\n".join(parts) + "\n"


def _use(facts: Facts) -> str:
    return f"""```bash
pip install dsct-detrex
dsct train --config deformable_detr_dsct train.init_checkpoint={facts.file}
```

The project has to have the same host in the same size; what is loaded is told when the training begins.
"""
