"""How large a sweep is trained: the rules of ``configs/sweeps/scales.py``, applied to whatever a cell trains.

A model is made small by its structure, not by its name: a rule such as ``encoder.num_layers: 1`` holds for every key
that ends in it of the host's config, or of ``model`` where the model has no host. Keys that follow another key by
interpolation are left to follow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import chain
from typing import Any

from omegaconf import DictConfig, OmegaConf

from dsct_detrex.config import get_config
from dsct_detrex.config.override_grammar import parse_override
from dsct_detrex.errors import UserError


@dataclass(frozen=True)
class Scale:
    """One entry of ``scales``.

    Attributes:
        run: overrides for every cell and data set.
        dsct: overrides for every cell whose model has a host.
        synthetic: overrides where the scenes are drawn, since there is no disk to set their size.
        host_set: end of a key of the host's config (parts may hold ``*``) -> its value.
        host_divide: end of a key -> what its number is divided by, rounded up.
        host_own: name of a host -> overrides below it and below its variants, for what no rule can say.
    """

    run: Sequence[str]
    dsct: Sequence[str]
    synthetic: Sequence[str]
    host_set: Mapping[str, Any]
    host_divide: Mapping[str, int]
    host_own: Mapping[str, Sequence[str]]

    def overrides(self, cfg: DictConfig, host: str | None, data: str) -> list[str]:
        """The words that make a cell this large.

        Args:
            cfg: of the cell.
            host: name of its host in the table ``hosts`` (for one that it lacks, training will say so), or None where
                its model has no host.
            data: name of the data set.
        """
        drawn = self.synthetic if data == "synthetic" else ()
        if host is None:
            return [*self.run, *drawn, *self._of_structure(cfg.model, "model")]
        words = [*self.run, *self.dsct, *drawn]
        if host not in cfg.hosts:
            return words
        mine = (words for name, words in self.host_own.items() if host == name or host.startswith(f"{name}_"))
        own = (f"hosts.{host}.{word}" for word in chain.from_iterable(mine))
        return [*words, *self._of_structure(cfg.hosts[host], f"hosts.{host}"), *own]

    def _of_structure(self, block: DictConfig, prefix: str) -> Iterator[str]:
        for path, old in _literals(OmegaConf.to_container(block, resolve=False), ()):
            key = ".".join((prefix, *path))
            for end, value in self.host_set.items():
                if _ends_in(path, end):
                    yield f"{key}={_word(value)}"
            for end, divisor in self.host_divide.items():
                if _ends_in(path, end) and isinstance(old, int):
                    yield f"{key}={-(-old // divisor)}"


def get_scale(name: str) -> Scale:
    """A scale of ``configs/sweeps/scales.py``.

    Raises:
        UserError: an unknown name.
    """
    scales = OmegaConf.to_container(get_config("sweeps/scales.py").scales)
    assert isinstance(scales, dict)
    if name not in scales:
        raise UserError(f"--scale expects one of {', '.join(map(str, scales))}. Got {name!r}.")
    block = scales[name]
    return Scale(**{str(key): value for key, value in block.items()})


def host_of(cfg: DictConfig, overrides: Iterable[str]) -> str | None:
    """Name of the host that a config has after some overrides; None for a model without one."""
    if "host" not in cfg:
        return None
    chosen = str(cfg.host.name)
    for word in overrides:
        override = parse_override(word)
        if override.key == ("host", "name"):
            chosen = str(override.value)
    return chosen


def _literals(node: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every key that holds a value of its own, depth first."""
    if isinstance(node, dict):
        for key, child in node.items():
            yield from _literals(child, (*path, str(key)))
    elif not (isinstance(node, str) and "${" in node):
        yield path, node


def _ends_in(path: tuple[str, ...], end: str) -> bool:
    parts = end.split(".")
    tail = path[-len(parts) :]
    return len(tail) == len(parts) and all(fnmatchcase(have, want) for have, want in zip(tail, parts))


def _word(value: Any) -> str:
    """A value as the command line writes it."""
    if isinstance(value, list):
        return f"[{','.join(_word(item) for item in value)}]"
    return "null" if value is None else str(value)
