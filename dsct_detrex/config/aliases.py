"""YAML whose aliases stand for very many values: each is copied where it is meant, so ten lines can fill any memory."""

from __future__ import annotations

from typing import Final

import yaml

from dsct_detrex.config.errors import ConfigError

_MOST: Final = 100_000
"""Values of a config; the largest of this project have a few thousand."""


def check_aliases(text: str, source: str) -> None:
    """Refuse a text whose aliases (``&name`` and ``*name``) would make more than 100 000 values, or an endless one.

    Args:
        source: what an error message calls the text.

    Raises:
        ConfigError: they would.
        yaml.YAMLError: not YAML.
    """
    if "&" not in text or "*" not in text:
        return
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if root is not None and _size(root, {}) > _MOST:
        raise ConfigError(
            f"config_from_yaml: {source} repeats itself (& and *) until it has more than {_MOST:,} values, or for ever."
            " Write the values out."
        )


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """Values that a node stands for; more than ``_MOST`` where it holds itself."""
    if id(node) in known:
        return known[id(node)]
    known[id(node)] = _MOST + 1  # while it is counted
    children: list[yaml.Node] = []
    if isinstance(node, yaml.SequenceNode):
        children = node.value
    elif isinstance(node, yaml.MappingNode):
        children = [child for pair in node.value for child in pair]
    known[id(node)] = 1 + sum(_size(child, known) for child in children)
    return known[id(node)]
