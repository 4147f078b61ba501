"""A config as text that reads like Python: ``cfg.optimizer = torch.optim.AdamW(lr=0.0001)``.

For people to read and to compare; it parses, but it is not meant to be run. What loads again is ``save_config``'s.
"""

from __future__ import annotations

import ast
import functools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from keyword import iskeyword
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf, SCMode
from omegaconf.errors import InterpolationResolutionError

from dsct_detrex.config.errors import ConfigError
from dsct_detrex.config.targets import target_name

_WIDTH = 88


def config_to_py(cfg: DictConfig, prefix: str = "cfg.") -> str:
    """One line per key, blocks that are calls as ``name(argument=...)``, wide ones over several lines.

    Args:
        prefix: the name of the whole, in front of every key; it may be empty.

    Raises:
        ConfigError: an interpolation finds nothing; the values that they have now are written.
    """
    try:
        content = OmegaConf.to_container(cfg, resolve=True, structured_config_mode=SCMode.INSTANTIATE)
    except InterpolationResolutionError as error:
        raise ConfigError(f"LazyConfig.to_py: an interpolation finds nothing: {error}") from error
    lines = [
        _laid_out(_node(value), "", f"{name} = " if name else "", "")
        for name, value in _assigned(content, prefix.strip("."))
    ]
    return "".join(f"{line}\n" for line in lines)


def _assigned(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Dotted names and what they are set to; mappings whose keys are names are set key by key."""
    if isinstance(value, Mapping) and value and "_target_" not in value and all(map(_is_name, value)):
        for key, item in value.items():
            yield from _assigned(item, f"{name}.{key}" if name else key)
    else:
        yield name, value


def _is_name(key: Any) -> bool:
    return isinstance(key, str) and key.isidentifier() and not iskeyword(key)


@dataclass(frozen=True)
class _Node:
    """Text with brackets that may be broken behind each item; without items it is never broken.

    Attributes:
        items: what stands in front of each, such as ``lr=``, and itself.
        comma: it keeps the comma behind its only item on one line too.
    """

    opening: str
    items: Sequence[tuple[str, _Node]] = ()
    closing: str = ""
    comma: bool = False

    def __str__(self) -> str:
        inside = ", ".join(f"{lead}{item}" for lead, item in self.items)
        return f"{self.opening}{inside}{',' if self.comma else ''}{self.closing}"


def _laid_out(node: _Node, indent: str, lead: str, tail: str) -> str:
    line = f"{indent}{lead}{node}{tail}"
    if len(line) <= _WIDTH or not node.items:
        return line
    inside = [_laid_out(item, f"{indent}    ", name, ",") for name, item in node.items]
    return "\n".join([f"{indent}{lead}{node.opening}", *inside, f"{indent}{node.closing}{tail}"])


def _node(value: Any) -> _Node:
    if isinstance(value, Mapping):
        return _call(value) if "_target_" in value else _mapping(value)
    if isinstance(value, list):
        return _Node("[", [("", _node(item)) for item in value], "]")
    if type(value) is tuple:
        return _Node("(", [("", _node(item)) for item in value], ")", comma=len(value) == 1)
    if isinstance(value, functools.partial):
        positional = [("", _node(item)) for item in (value.func, *value.args)]
        return _Node("functools.partial(", [*positional, *_arguments(value.keywords)], ")")
    if is_dataclass(value) and not isinstance(value, type):
        content = {field.name: getattr(value, field.name) for field in fields(value)}
        return _Node(f"{_name(type(value))}(", _arguments(content), ")")
    return _Node(_plain(value))


def _mapping(value: Mapping[Any, Any]) -> _Node:
    return _Node("{", [(f"{_plain(key)}: ", _node(item)) for key, item in value.items()], "}")


def _call(value: Mapping[Any, Any]) -> _Node:
    target = value["_target_"]
    spoken = target if isinstance(target, str) and all(map(_is_name, target.split("."))) else str(_node(target))
    return _Node(f"{spoken}(", _arguments({key: item for key, item in value.items() if key != "_target_"}), ")")


def _arguments(value: Mapping[Any, Any]) -> list[tuple[str, _Node]]:
    """``name=value`` each; keys that are no names together as ``**{...}``."""
    odd = {str(key): item for key, item in value.items() if not _is_name(key)}
    named = [(f"{key}=", _node(item)) for key, item in value.items() if _is_name(key)]
    return [*named, ("**", _mapping(odd))] if odd else named


def _plain(value: Any) -> str:
    """A value without items."""
    if isinstance(value, Enum):
        return f"{_name(type(value))}.{value.name}"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    if isinstance(value, Path):
        return f"Path({_quoted(str(value))})"
    if hasattr(value, "__qualname__"):
        return _name(value)
    return repr(value) if _parses(repr(value)) else _quoted(repr(value))


def _quoted(text: str) -> str:
    single = repr(text)
    return f'"{single[1:-1]}"' if single[0] == "'" and '"' not in text else single


def _name(value: Any) -> str:
    """The dotted name of a function or class; a lambda is called after its line: ``module.lambda_line_3``."""
    try:
        return target_name(value)
    except ConfigError:
        line = getattr(getattr(value, "__code__", None), "co_firstlineno", "")
        words = f"{value.__module__ or ''}.{value.__qualname__}".replace("<lambda>", f"lambda_line_{line}")
        parts = [re.sub(r"\W", "_", part) for part in words.replace("<locals>.", "").split(".")]
        return ".".join(part for part in parts if part)


def _parses(text: str) -> bool:
    try:
        ast.parse(text, mode="eval")
    except SyntaxError:
        return False
    return True
