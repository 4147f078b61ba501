"""Describe a call instead of making it (``LazyCall``), and the files that hold such descriptions (``LazyConfig``).

Same names, signatures and meaning as detectron2's LazyConfig system, so a config file does not care whose it gets.
Where ours is stricter it says so: overrides reject unknown keys, saving rejects what could not be loaded again, and a
YAML file is read without running code.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from dsct_detrex.config.as_python import config_to_py
from dsct_detrex.config.copies import as_config
from dsct_detrex.config.loading import load_config
from dsct_detrex.config.overrides import apply_overrides
from dsct_detrex.config.saving import save_config
from dsct_detrex.config.targets import target_name


class LazyCall:
    """``LazyCall(nn.Linear)(in_features=2, out_features=3)`` is a ``DictConfig`` that ``instantiate`` can build.

    Args:
        target: a callable, the dotted name of one, or a mapping that describes how to build one.

    Raises:
        TypeError: the target is none of these.
    """

    def __init__(self, target: Callable[..., Any] | str | Mapping[str, Any]) -> None:
        if not (callable(target) or isinstance(target, (str, Mapping))):
            raise TypeError(f"LazyCall(target=) expects a callable or a description of one. Got {target!r}.")
        self._target = target

    def __call__(self, **arguments: Any) -> DictConfig:
        target: Any = self._target
        # omegaconf would take these classes for the schema of a nested config, so they travel by name.
        if isinstance(target, type) and (is_dataclass(target) or issubclass(target, dict)):
            target = target_name(target)
        return as_config({**arguments, "_target_": target})


class LazyConfig:
    """Load, change, save and show a tree of lazy calls."""

    @staticmethod
    def load(filename: str | Path, keys: str | tuple[str, ...] | None = None) -> Any:
        """See ``load_config``."""
        return load_config(filename, keys)

    @staticmethod
    def load_rel(filename: str | Path, keys: str | tuple[str, ...] | None = None) -> Any:
        """Like ``load``, with a path that starts at the folder of the file that calls this."""
        caller = sys._getframe(1).f_code.co_filename
        return load_config(Path(caller).parent / filename, keys)

    @staticmethod
    def save(cfg: DictConfig, filename: str | Path) -> None:
        """See ``save_config``; interpolations are kept."""
        save_config(cfg, filename)

    @staticmethod
    def to_py(cfg: DictConfig, prefix: str = "cfg.") -> str:
        """See ``config_to_py``: text to read, one line per key."""
        return config_to_py(cfg, prefix)

    @staticmethod
    def apply_overrides(cfg: DictConfig, overrides: Sequence[str]) -> DictConfig:
        """See ``dsct_detrex.config.overrides.apply_overrides``."""
        return apply_overrides(cfg, overrides)
