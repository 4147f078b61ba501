"""The head of a card that Hugging Face reads: YAML between two lines of dashes.

Keys as in its documentation of model cards (``modelcard.md`` of huggingface/hub-docs): ``license``, ``library_name``,
``pipeline_tag``, ``tags``, ``datasets``, ``metrics`` and ``model-index``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from dsct_detrex.engine.model_card.facts import Facts

_CHOSEN = {"acc": "accuracy", "mAP": "mean_average_precision"}
"""Metric -> how Hugging Face calls its kind."""


def front_matter(facts: Facts) -> str:
    """The head, with its dashes."""
    host = [facts.host.lower().replace(" ", "-")] if facts.host else []
    content: dict[str, Any] = {
        "library_name": "dsct_detrex",
        "license": "unknown",
        "pipeline_tag": "object-detection",
        "tags": ["emotion-recognition", "detection-transformer", "dsct", *host],
    }
    if facts.data_set is not None and facts.data_set.emotions is not None:
        content["datasets"] = [facts.data_set.name]
    scores = _scores(facts.provenance.metrics)
    if scores:
        content["metrics"] = [score["type"] for score in scores]
        content["model-index"] = [{"name": facts.model, "results": [_result(facts, scores)]}]
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120)
    return f"---\n{text}---\n"


def _scores(metrics: Mapping[str, float]) -> list[dict[str, Any]]:
    found = [(short, f"emotion/{short}") for short in _CHOSEN if f"emotion/{short}" in metrics]
    return [
        {"type": _CHOSEN[short], "name": name, "value": round(float(metrics[name]), 4)}
        for short, name in found
        if metrics[name] == metrics[name]  # YAML has NaN, Hugging Face has not
    ]


def _result(facts: Facts, scores: list[dict[str, Any]]) -> dict[str, Any]:
    data = {"name": facts.measured_title, "type": facts.emotions.name}
    split = facts.get("dataloader.test.dataset.split")
    return {
        "task": {"type": "object-detection", "name": "people and their apparent emotions"},
        "dataset": data | ({"split": split} if split else {}),
        "metrics": scores,
    }
