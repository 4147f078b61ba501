"""What the engine builds of a config, and whether that depends on a key elsewhere in it."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator
from typing import Any, get_type_hints

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from dsct_detrex.config.copies import duplicate
from dsct_detrex.config.interpolations import keys_of
from dsct_detrex.engine.settings import TrainSettings
from dsct_detrex.engine.words import is_below

BUILT = (
    "model",
    "optimizer",
    "lr_multiplier",
    "dataloader.train",
    "dataloader.test",
    "dataloader.evaluator",
    "emotions",
)
"""What the engine builds, whole; of ``train`` it reads what ``TrainSettings`` names."""


class Built:
    """What is built of a config, each part of it worked out when it is asked for first."""

    def __init__(self, cfg: DictConfig) -> None:
        self._cfg = cfg
        self._resolved: dict[str, Any] = {}
        self._untouched: set[str] = set()

    def reads(self, key: str) -> bool:
        """Whether what is built changes with the value of a key, through an interpolation."""
        if is_below(key, self._parts):
            return True
        block = ".".join(key.split(".")[:2])
        if block != key and OmegaConf.is_config(OmegaConf.select(self._cfg, block)):
            if block not in self._untouched and not self._changes_with(block):
                self._untouched.add(block)
            if block in self._untouched:
                return False
        return self._changes_with(key)

    @functools.cached_property
    def _parts(self) -> tuple[str, ...]:
        """Dotted keys of the mappings and lists elsewhere that are part of what is built, by an interpolation."""
        found: dict[str, None] = {}
        for block in BUILT:
            _collect(OmegaConf.select(self._cfg, block), found)
        return tuple(found)

    def _changes_with(self, key: str) -> bool:
        changed = duplicate(self._cfg)
        try:
            OmegaConf.update(changed, key, "<another value>", merge=False, force_add=True)
            return any(_resolved(changed, block) != self._block(block) for block in ("train", *BUILT))
        except OmegaConfBaseException:
            return True  # something breaks without it

    def _block(self, block: str) -> Any:
        if block not in self._resolved:
            self._resolved[block] = _resolved(self._cfg, block)
        return self._resolved[block]


def _collect(node: Any, found: dict[str, None]) -> None:
    if not OmegaConf.is_config(node):
        return
    for name in keys_of(node):
        child = node._get_node(name)
        if OmegaConf.is_interpolation(child):
            try:
                child = child._dereference_node()
            except OmegaConfBaseException:
                continue
            key = child._get_full_key(None) if OmegaConf.is_config(child) else ""
            if not key or key in found:
                continue
            found[key] = None
        _collect(child, found)


def _resolved(cfg: DictConfig, block: str) -> Any:
    node = OmegaConf.select(cfg, block)
    content = OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node
    if block == "train" and isinstance(content, dict):
        known = {name.split(".")[1] for name in train_keys()}
        return {name: value for name, value in content.items() if name in known}
    return content


@functools.cache
def train_keys() -> tuple[str, ...]:
    """Dotted keys of everything that ``TrainSettings`` reads."""
    return tuple(_fields(TrainSettings, "train"))


def _fields(kind: type, prefix: str) -> Iterator[str]:
    for name, hint in get_type_hints(kind).items():
        if isinstance(hint, type) and dataclasses.is_dataclass(hint):
            yield from _fields(hint, f"{prefix}.{name}")
        else:
            yield f"{prefix}.{name}"
