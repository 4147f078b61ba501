"""From a description to the object: ``instantiate`` calls every ``_target_`` with the keys beside it.

Behaves as ``detectron2.config.instantiate`` does: arguments are built first, a plain mapping without ``_target_`` is
passed on untouched, and mappings reach a constructor as ``DictConfig``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from typing import Any

import omegaconf
from omegaconf import DictConfig, ListConfig, OmegaConf

from dsct_detrex.config.errors import ConfigError
from dsct_detrex.config.suggestions import did_you_mean
from dsct_detrex.config.targets import locate

_TUPLE_CONFIG: type | None = getattr(omegaconf, "TupleConfig", None)  # omegaconf >= 2.4 keeps tuples apart from lists


def instantiate(cfg: Any) -> Any:
    """Build the object that ``cfg`` describes.

    Args:
        cfg: a mapping with ``_target_`` (a callable, its dotted name, or a mapping that builds the callable) is
            called with its other keys, each built first; a list or tuple is built element by element; a config
            backed by a dataclass becomes that dataclass; anything else is returned as it is.

    Raises:
        ConfigError: a dotted name does not exist, the target cannot be called, or it does not take these arguments.
        Whatever else the called constructor raises passes through.
    """
    if isinstance(cfg, ListConfig):
        return ListConfig([instantiate(item) for item in cfg], flags={"allow_objects": True})
    if isinstance(cfg, list):
        return [instantiate(item) for item in cfg]
    if _TUPLE_CONFIG is not None and isinstance(cfg, _TUPLE_CONFIG):
        return tuple(instantiate(item) for item in cfg)  # type: ignore[attr-defined]
    if isinstance(cfg, DictConfig) and is_dataclass(OmegaConf.get_type(cfg)):
        return OmegaConf.to_object(cfg)
    if isinstance(cfg, Mapping) and "_target_" in cfg:
        arguments = {str(key): instantiate(value) for key, value in cfg.items()}
        return _call(arguments.pop("_target_"), arguments)
    return cfg


def _call(target: Any, arguments: dict[str, Any]) -> Any:
    function = locate(target) if isinstance(target, str) else target
    name = target if isinstance(target, str) else _spoken(target)
    if not callable(function):
        raise ConfigError(f"instantiate: `_target_` expects something that can be called. Got {function!r}.")
    try:
        return function(**arguments)
    except TypeError as error:
        reason = _mismatch(function, arguments)
        if reason is None:
            raise
        raise ConfigError(f"instantiate: {name}({', '.join(arguments)}) cannot be called: {reason}") from error


def _mismatch(function: Callable[..., Any], arguments: dict[str, Any]) -> str | None:
    """Why the arguments do not fit the signature; None where they do, so that the TypeError came from inside."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None  # built-in functions may not tell
    try:
        signature.bind(**arguments)
    except TypeError as error:
        open_ended = any(parameter.kind is parameter.VAR_KEYWORD for parameter in signature.parameters.values())
        unknown = [name for name in arguments if name not in signature.parameters and not open_ended]
        if unknown:
            return f"it takes no `{unknown[0]}`.{did_you_mean(unknown[0], signature.parameters)}"
        return f"{error}."
    return None


def _spoken(target: Any) -> str:
    if not hasattr(target, "__qualname__"):
        return repr(target)
    return f"{target.__module__}.{target.__qualname__}"
