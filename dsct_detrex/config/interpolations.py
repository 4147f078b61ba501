"""Interpolations as places in the tree: which are broken, and how to put a copy of what they point at in their place.

``model.host="${hosts.${host}}"`` makes one node appear in two places. To change it in one place only, the node is
copied there first (``materialise``); an interpolation inside the copy that is relative and leaves the node, such as
``${...shared}``, is rewritten to the absolute key it meant at home.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import InterpolationResolutionError

from dsct_detrex.errors import reason_of

Container = DictConfig | ListConfig

# The dots that make an interpolation (or the key of oc.select) relative: ${.sibling}, ${..aunt}, ${oc.select:..aunt,1}.
_RELATIVE = re.compile(r"(?<!\\)(\$\{(?:\s*oc\.select:)?\s*)(\.+)")

_PATH = re.compile(r"\$\{(\.*)(\w+(?:\.\w+)*)\}")  # ${host.name}, ${..embed_dim}


def keys_of(node: Container) -> list[Any]:
    """The keys (of a list: the indices) of a node; none for a node that is null, missing or an interpolation."""
    if isinstance(node, DictConfig):
        return list(node.keys())
    return list(range(len(node)))


def broken_interpolations(cfg: Container) -> dict[str, str]:
    """The dotted keys whose interpolation finds nothing, with omegaconf's reason for each."""
    broken = {}
    for key, parent, name in _interpolations(cfg, ""):
        if _leads_straight(parent, name):
            continue
        try:
            parent[name]
        except InterpolationResolutionError as error:
            broken[key] = reason_of(error)
    return broken


def materialise(parent: Container, name: Any) -> Container:
    """Replace the interpolation at ``parent[name]``, which leads to a mapping or list, by a copy of that node.

    Returns:
        The copy, already in its place.
    """
    target: Container = parent[name]
    home = _path(target)
    own = copy.deepcopy(target)
    raw = OmegaConf.to_container(target, resolve=False)
    assert isinstance(raw, (dict, list))
    _anchor(own, raw, home, depth=1)
    parent[name] = own
    placed: Container = parent[name]
    return placed


def _leads_straight(parent: Container, name: Any) -> bool:
    """Whether an interpolation is a mere path to something that is there, which needs no parser to see."""
    path = _PATH.fullmatch(str(parent._get_node(name)._value()))  # type: ignore[union-attr]
    if path is None:
        return False
    node: Any = parent if path[1] else parent._get_root()
    for _ in path[1][1:]:
        node = node._get_parent() if node is not None else None
    for part in path[2].split("."):
        if not isinstance(node, DictConfig) or node._is_none() or node._is_missing() or node._is_interpolation():
            return False
        node = node._get_node(part)
    return node is not None and not (node._is_none() or node._is_missing() or node._is_interpolation())


def _interpolations(node: Container, prefix: str) -> Iterator[tuple[str, Container, Any]]:
    """Every interpolated place below ``node``: dotted key, parent, name. What they point at is not entered."""
    for name in keys_of(node):
        key = f"{prefix}{name}"
        child: Any = node._get_node(name)  # node[name] would resolve it first
        if OmegaConf.is_interpolation(child):
            yield key, node, name
        elif OmegaConf.is_config(child):
            yield from _interpolations(child, f"{key}.")


def _path(node: Container) -> list[str]:
    """The keys that lead from the root to ``node``."""
    parts: list[str] = []
    current: Any = node
    while current is not None and current._key() is not None:
        parts.insert(0, str(current._key()))
        current = current._get_parent()
    return parts


def _anchor(node: Container, raw: dict[Any, Any] | list[Any], home: list[str], depth: int) -> None:
    """Make absolute, in place, the relative interpolations that lead out of the copied node.

    Args:
        raw: the contents of ``node``, interpolations unresolved.
        home: the path of the original of ``node``.
        depth: 1 for the children of the copied node, 2 for theirs, and so on. ``${`` with n dots starts n levels
            above the value that holds it, so it leaves the copied node if n > depth.
    """

    def absolute(match: re.Match[str]) -> str:
        dots = len(match[2])
        if dots <= depth:
            return match[0]
        base = home[: len(home) + 1 - dots]
        return match[1] + "".join(f"{part}." for part in base)

    items = raw.items() if isinstance(raw, dict) else enumerate(raw)
    for name, value in items:
        if isinstance(value, str) and OmegaConf.is_interpolation(node, name):
            node[name] = _RELATIVE.sub(absolute, value)
        elif isinstance(value, (dict, list)):
            _anchor(node[name], value, [*home, str(name)], depth + 1)
