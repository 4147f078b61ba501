"""Every block of every config that comes with this project, as plain data: what stands where and what it calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from dsct_detrex.config import get_config, load_config, locate
from dsct_detrex.config.project import config_folder, config_names

# Blocks that no config has by default and an override or a project may set.
_OPTIONAL = {
    "model.proposal_loss": "dsct_detrex.objective.ProposalLoss",
    "model.token_loss": "dsct_detrex.objective.TokenLoss",
    "lr_multiplier.scheduler": "dsct_detrex.config.CosineParamScheduler",
}
_OWN_HOSTS = ("hosts", "subject_training")


@dataclass(frozen=True)
class Block:
    """A mapping of a config.

    Attributes:
        place: its dotted key; the name of a host in it is ``*``.
        variant: the host or the data set whose config it stands in; empty where all share it.
        target: what it calls; None for a plain mapping.
        values: its keys without ``_target_``, interpolations as they are written.
    """

    place: str
    variant: str
    target: Any
    values: Mapping[str, Any]


def blocks() -> list[Block]:
    """All blocks in the order of the configs: common ones, data sets', detectors', the baselines', then the hosts'."""
    base = get_config("common/base.py")
    common = ("train", "evaluation", "model", "host", "optimizer", "lr_multiplier")
    found = [block for name in common for block in _below(name, "", plain(base[name]))]
    folder = config_folder()
    for file in (name for name in config_names(folder) if name.startswith("common/data/")):
        for name, values in plain(get_config(file)).items():
            found += _below(name, Path(file).stem, values) if name in base else []
    detection = get_config("common/detection.py")
    found += _below("model", "detection", plain(detection.model))
    for file in (name for name in config_names(folder) if name.startswith("common/objects/")):
        for name, values in plain(get_config(file)).items():
            found += _below(name, f"things of {Path(file).stem}", values) if name in base else []
    baseline = load_config(folder.parent / "projects/emo_net_r50.py")
    found += _below("model", "emo_net_r50", plain(baseline.model))
    for place, target in _OPTIONAL.items():
        found.append(Block(place, "", locate(target), {}))
    for table in _OWN_HOSTS:
        for host, values in plain(base[table]).items():
            found += [] if isinstance(values, str) else _below(f"{table}.*", str(host), values)
    return found


def plain(config: Any) -> Any:
    """A config as dicts and lists, its interpolations unresolved."""
    return OmegaConf.to_container(config, resolve=False)


def _below(place: str, variant: str, values: Any) -> Iterator[Block]:
    if isinstance(values, dict):
        target = values.get("_target_")
        own = {str(key): value for key, value in values.items() if key != "_target_"}
        yield Block(place, variant, locate(target) if isinstance(target, str) else target, own)
        for key, value in own.items():
            yield from _below(f"{place}.{key}", variant, value)
