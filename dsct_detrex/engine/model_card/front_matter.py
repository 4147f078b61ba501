"""The head of a card that Hugging Face reads: YAML between two lines of dashes.

Keys as in its documentation of model cards (``modelcard.md`` of huggingface/hub-docs): ``license``, ``library_name``,
``pipeline_tag``, ``tags``, ``datasets``, ``metrics`` and ``model-index``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from dsct_detrex.engine.model_card.facts import Facts
from dsct_detrex.structures import ObjectClasses

_CHOSEN = {
    "emotion/acc": "accuracy",
    "emotion/mAP": "mean_average_precision",
}
_OF_THINGS = {"bbox/AP": "mean_average_precision"}
"""Metric -> how Hugging Face calls its kind; of a detector."""


def front_matter(facts: Facts) -> str:
    """The head, with its dashes."""
    of_things = isinstance(facts.emotions, ObjectClasses)
    host = [facts.host.lower().replace(" ", "-")] if facts.host else []
    content: dict[str, Any] = {
        "library_name": "dsct_detrex",
        "license": "unknown",
        "pipeline_tag": "object-detection",
        "tags": [*([] if of_things else ["emotion-recognition"]), "detection-transformer", "dsct", *host],
    }
    if facts.data_set is not None and facts.data_set.emotions is not None:
        content["datasets"] = [facts.data_set.name]
    scores = _scores(facts.provenance.metrics, _OF_THINGS if of_things else _CHOSEN)
    if scores:
        content["metrics"] = [score["type"] for score in scores]
        content["model-index"] = [{"name": facts.model, "results": [_result(facts, scores)]}]
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120)
    return f"---\n{text}---\n"


def _scores(metrics: Mapping[str, float], kinds: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {"type": kind, "name": name, "value": round(float(metrics[name]), 4)}
        for name, kind in kinds.items()
        if name in metrics and metrics[name] == metrics[name]  # YAML has NaN, Hugging Face has not
    ]


def _result(facts: Facts, scores: list[dict[str, Any]]) -> dict[str, Any]:
    data = {"name": facts.measured_title, "type": facts.emotions.name}
    split = facts.get("dataloader.test.dataset.split")
    of_things = isinstance(facts.emotions, ObjectClasses)
    task = "things in a picture" if of_things else "people and their apparent emotions"
    return {
        "task": {"type": "object-detection", "name": task},
        "dataset": data | ({"split": split} if split else {}),
        "metrics": scores,
    }
