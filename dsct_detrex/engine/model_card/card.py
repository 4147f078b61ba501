"""A card as Markdown, section by section; where something is not known, it says so."""

from __future__ import annotations

from pathlib import Path

from dsct_detrex.data.catalogue import title_of
from dsct_detrex.engine.model_card.detector_card import detector_text
from dsct_detrex.engine.model_card.facts import UNKNOWN, Facts
from dsct_detrex.engine.model_card.front_matter import front_matter
from dsct_detrex.engine.model_card.keeping import card_path, keep_or_write
from dsct_detrex.engine.model_card.tables import chosen_by, data_words, picture_size, table, terms, training
from dsct_detrex.evaluation.formatting import measured_on, metric_word, percent, whole
from dsct_detrex.responsible_use import RESPONSIBLE_USE
from dsct_detrex.structures import MultiLabelEmotions, ObjectClasses

_SCORES = {
    "emotion/acc": "accuracy",
    "emotion/mAP": "mAP",
    "emotion/acc_any": f"{metric_word('acc_any')}",
    "strict/acc": "accuracy, strict protocol",
    "strict/mAP": "mAP, strict protocol",
    "bbox/recall50": "people found at IoU 0.5",
    "bbox/AP50": "AP50 of the boxes",
    "bbox/AP": "AP of the boxes (COCO)",
}
"""Metric -> how the table calls it, in its order."""
_OF_EMOTION = "emotion/AP-"

_INTENDED = (
    "Research on how apparent emotion depends on what surrounds people: comparing models, methods and data sets, and "
    "looking at which contexts a prediction rests on. Trying things out on pictures whose people agree to it."
)
_NOT_INTENDED = (
    "deciding about people, ranking or watching them, at work, in schools, in public, at borders, in courts, in shops",
    "diagnosis, therapy, or finding out whether somebody lies",
    "telling what a person feels: it guesses what annotators would say of a picture",
    "people, cultures, ages and situations that its data do not show; no error rates by group stand in this card",
)


def write_card(release: Path, facts: Facts) -> bool:
    """Write the card beside a release, whole or not at all; False where an edited one is there, which stays.

    Raises:
        OSError: the disk refuses; an old card is intact.
    """
    return keep_or_write(card_path(release), card_text(facts))


def card_text(facts: Facts) -> str:
    """The whole card, without its last line."""
    if isinstance(facts.emotions, ObjectClasses):
        return detector_text(facts)
    sections = (
        front_matter(facts),
        f"# {facts.model}: emotions of {title_of(facts.emotions.name)}\n",
        _opening(facts),
        f"## Data\n\n{data_words(facts)}",
        f"## Scores\n\n{_scores(facts)}",
        f"## Training\n\n{training(facts)}",
        f"## What it is for\n\n{_INTENDED}\n",
        "## What it is not for\n\n" + "".join(f"* {line};\n" for line in _NOT_INTENDED).rstrip(";\n") + ".\n",
        "\n\n".join(RESPONSIBLE_USE) + "\n",
        f"## Terms\n\n{terms(facts)}",
        f"## How to use it\n\n{_use(facts)}",
    )
    return "\n".join(sections)


def _opening(facts: Facts) -> str:
    emotions = facts.emotions
    kind = "several a person" if isinstance(emotions, MultiLabelEmotions) else "one a person"
    note = f"\n\n**{facts.provenance.note}**" if facts.provenance.note else ""
    rows = {
        "file": f"`{facts.file}`, written by dsct_detrex {facts.provenance.package_version}",
        "method": "DSCT, [arXiv:2404.17205](https://arxiv.org/abs/2404.17205)",
        "model": facts.model,
        "parameters": whole(facts.parameters),
        "people": f"at most {facts.get('model.num_subjects') or UNKNOWN} a picture",
        "emotions": f"{len(emotions.names)}, {kind}: {', '.join(emotions.names)}",
        "pictures": picture_size(facts),
    }
    return (
        "Finds the people in a picture and, in the same pass, the emotions that annotators would see in each."
        f"{note}\n\n{table(rows)}"
    )


def _scores(facts: Facts) -> str:
    metrics, report = facts.provenance.metrics, facts.report
    rows = {words: percent(metrics[name]) for name, words in _SCORES.items() if name in metrics}
    if not rows:
        return "No evaluation belongs to these weights; `dsct eval` makes one.\n"
    each = {name.removeprefix(_OF_EMOTION): value for name, value in metrics.items() if name.startswith(_OF_EMOTION)}
    per_emotion = ", ".join(f"{name} {percent(value)}" for name, value in each.items())
    parts = [
        _measured(facts),
        table(rows).rstrip("\n"),
        *([f"AP of each emotion: {per_emotion}."] if each else []),
        *([_references(facts)] if report and report["references"] else []),
        *([*report["warnings"]] if report else []),
    ]
    return "\n\n".join(parts) + "\n"


def _measured(facts: Facts) -> str:
    chosen = chosen_by(facts)
    if facts.report is None:
        protocol = facts.get("dataloader.evaluator.protocol")
        return f"Measured on {facts.measured_title}, protocol `{protocol or UNKNOWN}`.{chosen}"
    protocol = facts.report["protocol"]
    sentence = str(protocol["sentence"]).removeprefix(f"{protocol['name']} protocol: ").rstrip(".")
    return f"Measured on {measured_on(facts.report)}. Protocol `{protocol['name']}`: {sentence}.{chosen}"


def _references(facts: Facts) -> str:
    assert facts.report is not None
    bounds = ", ".join(f"{name} {percent(value)}" for name, value in facts.report["references"].items())
    return f"For comparison, {metric_word(facts.report['primary_metric'])} of: {bounds}."


def _use(facts: Facts) -> str:
    return f"""```bash
pip install dsct-detrex
dsct predict {facts.file} photo.jpg
```

```python
from dsct_detrex.prediction import Predictor

people = Predictor.from_checkpoint("{facts.file}")("photo.jpg")
for person in people:
    print(person.emotions, person.score, person.box)
```
"""
