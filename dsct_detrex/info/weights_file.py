"""What a file of weights is: whose, of which model, with which labels, and what trained it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from torch import Tensor

from dsct_detrex.config import config_from_values, config_from_yaml, selected
from dsct_detrex.errors import UserError
from dsct_detrex.paths import user_path
from dsct_detrex.structures import Emotions, MultiLabelEmotions, ObjectClasses, get_emotions
from dsct_detrex.weights import CheckpointFile, Release, convert, likely_host, read_checkpoint
from dsct_detrex.weights.formats import FORMATS
from dsct_detrex.weights.parameters import count_parameters
from dsct_detrex.weights.signatures import HOSTS
from dsct_detrex.weights.training_checkpoint import FORMAT


def describe_file(path: str | Path) -> dict[str, Any]:
    """Describe a file as plain values; what it does not say is left out.

    Returns:
        ``file``, ``bytes``, ``kind`` (``release``, ``training checkpoint`` or ``weights``), ``made_by`` (whose names
        its tensors have), ``host``, ``tensors``, ``parameters``; where known ``emotions`` (name, kind, names),
        ``thresholds``, ``calibration`` (``calibration.outcome``), ``metrics``, ``epoch``, ``iteration``, ``max_iter``,
        ``data``, ``start``, ``command``, ``versions``, and ``card``, the model card beside a release.

    Raises:
        UserError: the file cannot be read; see ``read_checkpoint``.
    """
    path = user_path(path)
    checkpoint = read_checkpoint(path)
    common = {"file": str(path), "bytes": path.stat().st_size}
    if "release" in checkpoint.extras:
        special = _of_release(checkpoint.extras["release"]) | _of_card(path.with_suffix(".md"))
    elif checkpoint.extras.get("format") == FORMAT:
        special = _of_training(checkpoint, path)
    else:
        special = {"kind": "weights", "made_by": FORMATS[checkpoint.kind], **_counted(checkpoint.extras)}
    found = {**common, **special, **_of_weights(checkpoint.state_dict)}
    return {key: value for key, value in found.items() if value not in (None, "", {}, [])}


def _of_release(release: Release) -> dict[str, Any]:
    made = release.provenance
    thresholds = dict(zip(release.emotions.names, release.thresholds)) if release.thresholds else None
    return {
        "kind": "release",
        "made_by": FORMATS["dsct"],
        "emotions": _emotions(release.emotions),
        "thresholds": thresholds,
        "calibration": dict(release.calibration or {}),
        "metrics": dict(made.metrics),
        "epoch": made.epoch,
        "iteration": made.iteration,
        **_of_config(_config_of(release)),
        "command": made.command,
        "versions": {"dsct_detrex": made.package_version},
    }


def _config_of(release: Release) -> Any:
    """The config inside, resolved; of one that cannot be, what it says as it stands."""
    config = config_from_yaml(release.config)
    try:
        return OmegaConf.to_container(config, resolve=True)
    except OmegaConfBaseException:
        return OmegaConf.to_container(config, resolve=False)


def _of_card(path: Path) -> dict[str, Any]:
    return {"card": str(path)} if path.is_file() else {}


def _of_training(checkpoint: CheckpointFile, path: Path) -> dict[str, Any]:
    """Of ``last.pth``; the command and the versions stand in the file beside it, if it is still there."""
    extras = checkpoint.extras
    config = extras.get("config") or {}
    best = extras.get("best") or {}
    return {
        **_of_config(config),
        "kind": "training checkpoint",
        "made_by": FORMATS[checkpoint.kind],
        "emotions": _emotions_of_config(config),
        "iteration": extras.get("iteration"),
        "max_iter": extras.get("max_iter"),
        "metrics": {f"best {best.get('metric', 'value')}": best["value"]} if best.get("value") is not None else {},
        "average": checkpoint.average is not None,
        **_of_environment(path.with_name("environment.json")),
    }


def _of_environment(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    packages = content.get("packages") or {}
    versions = {"dsct_detrex": content.get("dsct_detrex"), "torch": packages.get("torch")}
    return {"command": content.get("command"), "versions": {name: known for name, known in versions.items() if known}}


def _of_config(config: Any) -> dict[str, Any]:
    """Data set, start and length, as the config inside has them."""
    cfg = config_from_values(config, "the config inside")
    kind, root, start, length, epochs = (
        selected(cfg, key)
        for key in (
            "dataloader.train.dataset._target_",
            "data.root",
            "train.init_checkpoint",
            "train.max_iter",
            "train.max_epoch",
        )
    )
    data = {"dataset": str(kind).rpartition(".")[2] if kind else None, "root": root}
    return {
        "data": {name: value for name, value in data.items() if value},
        "start": str(start) if start else "random weights",
        "max_iter": None if epochs else length,
        "max_epoch": epochs,
    }


def _emotions(emotions: Emotions) -> dict[str, Any]:
    kind = "several a person" if isinstance(emotions, MultiLabelEmotions) else "one a person"
    kind = "classes of things" if isinstance(emotions, ObjectClasses) else kind
    return {"name": emotions.name, "kind": kind, "names": list(emotions.names)}


def _emotions_of_config(config: Mapping[str, Any]) -> dict[str, Any] | None:
    block = config.get("emotions")
    name = block.get("name") if isinstance(block, Mapping) else None
    try:
        return _emotions(get_emotions(str(name))) if name else None
    except (ValueError, UserError):  # the user's own labels
        return {"name": name}


def _of_weights(weights: Mapping[str, Tensor]) -> dict[str, Any]:
    host = likely_host(convert(weights).state_dict)
    return {
        "host": None if host is None else {"name": host, "title": HOSTS[host]},
        "tensors": len(weights),
        "parameters": count_parameters(weights.items()),
    }


def _counted(extras: Mapping[str, Any]) -> dict[str, Any]:
    """How far a training of somebody else's was, where its file says so in a number."""
    return {name: extras[name] for name in ("epoch", "iteration") if isinstance(extras.get(name), int)}
