"""Another data set for a config: ``--data``.

The names that a data config defines take the place of the config's own; for a config whose data set annotates things,
those of ``configs/common/objects``, which has the data sets that do. What the project had set apart from its data
set, sizes of pictures and batches above all, is the project's, and is set in the new ones as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from omegaconf import DictConfig, OmegaConf

from dsct_detrex.config import get_config, load_config
from dsct_detrex.config.targets import target_name
from dsct_detrex.errors import UserError
from dsct_detrex.names import OBJECTS, PEOPLE, data_sets
from dsct_detrex.paths import user_path
from dsct_detrex.suggestions import did_you_mean

_OF_THE_DATA = ("dataset", "emotions", "dataset_name", "dataset_description", "dataset_warnings", "references")
"""Keys that belong to a data set and go with it."""
_READER = "dataloader.train.dataset._target_"


def exchange_data(cfg: DictConfig, name: str, say: Callable[[str], None]) -> None:
    """Put another data set into a config, in place; the one that it has already stays with all that was set of it.

    Args:
        name: a file of ``configs/common/data`` without its ending, or any other file that defines such names.
        say: told what the project keeps.

    Raises:
        UserError: there is no such data set.
    """
    old, family = _base_of(cfg)
    described = _described(name, family)
    if old is not None and _target(described, _READER) == _target(cfg, _READER):
        return
    kept = _own_settings(cfg, old, described) if old is not None else {}
    for key, value in described.items():
        cfg[key] = value
    for key, value in kept.items():
        OmegaConf.update(cfg, key, value, merge=False, force_add=True)
    if kept:
        words = ", ".join(f"{key}={_written(value)}" for key, value in kept.items())
        say(f"note: --data {name} keeps what the config sets itself: {words}.")


def _described(name: str, family: str) -> DictConfig:
    known = data_sets(family)
    if name in known:
        return OmegaConf.create(dict(get_config(f"common/{family}/{name}.py")), flags={"allow_objects": True})
    if name.endswith(".py") and user_path(name).is_file():
        described = load_config(user_path(name))
        if "dataloader" not in described or "emotions" not in described:
            raise UserError(f"--data {name} expects a file that defines `emotions` and `dataloader`. It does not.")
        return OmegaConf.create(dict(described), flags={"allow_objects": True})
    hint = did_you_mean(name, known) or " A data set of your own is a file: --data mine.py (docs/add.md)."
    what = " with boxes of things" if family == OBJECTS else ""
    raise UserError(f"--data expects one of {', '.join(known)}{what}. Got {name!r}.{hint}")


def _base_of(cfg: DictConfig) -> tuple[DictConfig | None, str]:
    """The data config whose reader this config has, and the folder that it is in; else none, of people."""
    reader = _target(cfg, _READER)
    for family in (PEOPLE, OBJECTS):
        for name in data_sets(family) if reader else ():
            described = _described(name, family)
            if _target(described, _READER) == reader:
                return described, family
    return None, PEOPLE


def _own_settings(cfg: DictConfig, base: DictConfig, described: DictConfig) -> dict[str, Any]:
    """Key -> value of all that a config sets otherwise than its data config, where the new one has such a place and,
    being a file of the user's own, does not set it itself."""
    standard, _ = _base_of(described)
    told = set() if standard is None else set(_changes(described, standard))
    changes = _changes(OmegaConf.masked_copy(cfg, [str(name) for name in base if name in cfg]), base)
    return {key: value for key, value in changes.items() if key not in told and _same_place(key, cfg, described)}


def _changes(cfg: DictConfig, base: DictConfig) -> dict[str, Any]:
    """Key -> value of what a config sets otherwise."""
    before = dict(_leaves(base))
    return {key: value for key, value in _leaves(cfg) if key not in before or before[key] != value}


def _same_place(key: str, cfg: DictConfig, described: DictConfig) -> bool:
    """Whether the same class is built there."""
    block = key.rpartition(".")[0]
    target = _target(cfg, f"{block}._target_")
    return bool(target) and target == _target(described, f"{block}._target_")


def _target(cfg: DictConfig, key: str) -> str:
    """A target by its dotted name, as a saved config has it; empty where there is none."""
    target = OmegaConf.select(cfg, key)
    return target if isinstance(target, str) else "" if target is None else target_name(target)


def _leaves(node: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys and raw values, without what belongs to a data set."""
    content: Any = OmegaConf.to_container(node, resolve=False) if OmegaConf.is_config(node) else node
    for name, value in content.items():
        if name in _OF_THE_DATA or name == "_target_":
            continue
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _written(value: Any) -> str:
    return "null" if value is None else str(value).replace(" ", "")
