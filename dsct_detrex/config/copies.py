"""A copy of a config, or of plain data that holds configs: equal to omegaconf's ``copy.deepcopy``, many times faster.

omegaconf copies the bookkeeping of every single value through Python's pickling protocol, which took most of the time
of loading a config. As there, values that are no mapping and no list are shared, not copied.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from typing import Any

from omegaconf import AnyNode, DictConfig, ListConfig
from omegaconf.base import Node

_FIELDS = {
    AnyNode: frozenset(("_metadata", "_parent", "_flags_cache", "_val")),
    DictConfig: frozenset(("_metadata", "_parent", "_flags_cache", "_content")),
    ListConfig: frozenset(("_metadata", "_parent", "_flags_cache", "_content")),
}
"""The kinds of nodes known here, whole; one of another kind, or of another omegaconf, is copied by omegaconf."""


def duplicate(value: Any, known: dict[int, Any] | None = None) -> Any:
    """Copy mappings and lists, plain or of omegaconf, all the way down.

    Args:
        known: copies made so far by the ``id`` of the original, which must stay alive; values that share a node share
            its copy. A node inside a larger config is copied with all of it, so that it keeps its surroundings.
    """
    known = {} if known is None else known
    if id(value) in known:
        return known[id(value)]
    if isinstance(value, Node):
        whole = value if value._get_parent() is None else value._get_root()
        _copied(whole, None, known)
        return known[id(value)]
    made: Any = value
    if type(value) is dict:
        made = {name: duplicate(item, known) for name, item in value.items()}
    elif type(value) in (list, tuple, set):
        made = type(value)(duplicate(item, known) for item in value)
    known[id(value)] = made
    return made


def _copied(node: Node, parent: Any, known: dict[int, Any]) -> Any:
    kind, fields = type(node), node.__dict__
    if _FIELDS.get(kind) != fields.keys():
        made = _as_omegaconf_does(node, known)
        made._set_parent(parent)
        return made
    made = kind.__new__(kind)
    known[id(node)] = made
    own = made.__dict__
    own.update(fields)
    own["_metadata"], own["_parent"], own["_flags_cache"] = _bookkeeping(fields["_metadata"]), parent, None
    if kind is AnyNode:
        return made
    content = fields["_content"]
    if isinstance(content, dict):
        own["_content"] = {name: _copied(item, made, known) for name, item in content.items()}
    elif isinstance(content, list):
        own["_content"] = [_copied(item, made, known) for item in content]
    return made


def _bookkeeping(metadata: Any) -> Any:
    made = object.__new__(type(metadata))
    own = made.__dict__
    own.update(metadata.__dict__)
    own["flags"] = dict(metadata.flags)
    own["resolver_cache"] = copy.deepcopy(metadata.resolver_cache) if metadata.resolver_cache else defaultdict(dict)
    return made


def _as_omegaconf_does(node: Node, known: dict[int, Any]) -> Any:
    parent = node._get_parent()
    node._set_parent(None)  # or omegaconf keeps the copy's inside on the original's parent
    try:
        return copy.deepcopy(node, known)
    finally:
        node._set_parent(parent)


def as_config(content: dict[Any, Any]) -> DictConfig:
    """``DictConfig(content)`` that may hold any object, made of copies of the nodes in it."""
    # The copies are nobody's yet, so omegaconf need not copy them again, once for every level they are in.
    made = DictConfig(duplicate(content), flags={"allow_objects": True, "no_deepcopy_set_nodes": True})
    made._set_flag("no_deepcopy_set_nodes", None)
    return made
