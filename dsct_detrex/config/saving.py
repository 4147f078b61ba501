"""Write a config as YAML that loads again: callables become their dotted names, and what has no name is refused.

detectron2 writes a file that cannot be loaded once a lambda is in the config, and a pickle beside it; here saving stops
with the key of the offender, unless it is asked for a file to read only (``marked``).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf, SCMode
from omegaconf.errors import InterpolationResolutionError

from dsct_detrex.config.errors import ConfigError
from dsct_detrex.config.targets import named, target_name
from dsct_detrex.files import write_whole
from dsct_detrex.paths import user_path

_SCALARS = (str, int, float, bool, bytes, type(None))


def save_config(cfg: DictConfig, path: str | Path, resolve: bool = False) -> None:
    """Write ``cfg`` to a YAML file that ``load_config`` reads back.

    Args:
        resolve: write the values that interpolations have now, instead of the interpolations.

    Raises:
        ConfigError: a value cannot be written so that it loads again (a lambda, a built module); names its key.
    """
    text = config_to_yaml(cfg, resolve)
    write_whole(user_path(path), text)


MARK = "cannot be loaded again: "
"""What stands in a marked file in the place of a lambda or an object, before the reason."""


def config_to_yaml(cfg: DictConfig, resolve: bool = False, marked: bool = False) -> str:
    """The text that ``save_config`` writes. Tuples become lists, as in every YAML config; see there for the rest.

    Args:
        marked: write the reason in the place of what has no name, instead of refusing.
    """
    try:
        content = OmegaConf.to_container(cfg, resolve=resolve, structured_config_mode=SCMode.INSTANTIATE)
    except InterpolationResolutionError as error:
        raise ConfigError(f"save_config(resolve=True): an interpolation finds nothing: {error}") from error
    return OmegaConf.to_yaml(OmegaConf.create(_marked(content, ()) if marked else _writable(content, ())))


def _marked(value: Any, path: tuple[str, ...]) -> Any:
    """As ``_writable``, block by block, with a reason where there is no other way."""
    try:
        return _writable(value, path)
    except ConfigError as error:
        if isinstance(value, Mapping):
            return {key: _marked(item, (*path, str(key))) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [_marked(item, (*path, str(index))) for index, item in enumerate(value)]
        return MARK + str(error)


def _writable(value: Any, path: tuple[str, ...]) -> Any:
    """The same value out of plain mappings, lists and scalars; ``path`` is its key, for messages."""
    if type(value) in _SCALARS or isinstance(value, Path):
        return value
    if isinstance(value, Mapping):
        folded = _fold_partial(value, path)
        return {key: _writable(item, (*path, str(key))) for key, item in folded.items()}
    if isinstance(value, (list, tuple)):
        return [_writable(item, (*path, str(index))) for index, item in enumerate(value)]
    if path and path[-1] == "_target_":
        return _name(value, path)
    if isinstance(value, Enum):
        return {"_target_": target_name(named), "name": f"{_name(type(value), path)}.{value.name}"}
    if is_dataclass(value) and not isinstance(value, type):
        content = {field.name: getattr(value, field.name) for field in fields(value)}
        return {"_target_": _name(type(value), path), **_writable(content, path)}
    if isinstance(value, functools.partial):
        keywords = _writable(_keywords(value, path), path)
        return {"_target_": target_name(named), "name": _name(value.func, path), "keywords": keywords}
    return {"_target_": target_name(named), "name": _name(value, path)}


def _fold_partial(call: Mapping[Any, Any], path: tuple[str, ...]) -> Mapping[Any, Any]:
    """Turn a call of ``partial(f, a=1)`` with b=2 into a call of ``f`` with a=1, b=2; other mappings stay."""
    target = call.get("_target_")
    if not isinstance(target, functools.partial):
        return call
    return {**_keywords(target, (*path, "_target_")), **call, "_target_": target.func}


def _keywords(partial: functools.partial[Any], path: tuple[str, ...]) -> dict[str, Any]:
    if partial.args:
        raise _refusal(
            path, f"is a functools.partial with positional arguments {partial.args!r}", "Use keywords instead."
        )
    return dict(partial.keywords)


def _name(value: Any, path: tuple[str, ...]) -> str:
    try:
        return target_name(value)
    except ConfigError as error:
        raise _refusal(
            path,
            str(error),
            "Use a function or class of a module, or describe the object with LazyCall: L(LrFactors)(rules={...}).",
        ) from error


def _refusal(path: tuple[str, ...], reason: str, remedy: str) -> ConfigError:
    return ConfigError(
        f"save_config: `{'.'.join(path)}` {reason}, so the saved file could not be loaded again. {remedy}"
    )
