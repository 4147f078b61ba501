"""From a description to the object: ``instantiate`` calls every ``_target_`` with the keys beside it.

Behaves as ``detectron2.config.instantiate`` does: arguments are built first, a plain mapping without ``_target_`` is
passed on untouched, and mappings reach a constructor as ``DictConfig``. Whatever goes wrong while a target is called is
reported once, by the innermost block, as a sentence that names the key (``diagnosis``); the cause stays attached.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from typing import Any

import omegaconf
from omegaconf import DictConfig, ListConfig, OmegaConf

from dsct_detrex.config.diagnosis import Block, blame, check_values, explain, full_key, locate_in
from dsct_detrex.config.errors import ConfigError
from dsct_detrex.config.targets import locate
from dsct_detrex.errors import UserError
from dsct_detrex.paths import expanded
from dsct_detrex.suggestions import did_you_mean

_TUPLE_CONFIG: type | None = getattr(omegaconf, "TupleConfig", None)  # omegaconf >= 2.4 keeps tuples apart from lists


def instantiate(cfg: Any, key: str = "") -> Any:
    """Build the object that ``cfg`` describes.

    Args:
        cfg: a mapping with ``_target_`` (a callable, its dotted name, or a mapping that builds the callable) is
            called with its other keys, each built first, and text that begins with ``~`` as the path it means; a list
            or tuple is built element by element; a config backed by a dataclass becomes that dataclass; anything else
            is returned as it is.
        key: the dotted key of ``cfg`` for messages; a node of a config knows its own.

    Raises:
        ConfigError: a dotted name does not exist, the target cannot be called, does not take these arguments or
            values, or fails with them. A ``UserError`` of the target keeps its class and gets the key in front.
    """
    key = full_key(cfg) or key
    if isinstance(cfg, ListConfig):
        return ListConfig(_items(cfg, key), flags={"allow_objects": True})
    if isinstance(cfg, list):
        return _items(cfg, key)
    if _TUPLE_CONFIG is not None and isinstance(cfg, _TUPLE_CONFIG):
        return tuple(_items(cfg, key))
    if isinstance(cfg, DictConfig) and is_dataclass(OmegaConf.get_type(cfg)):
        return OmegaConf.to_object(cfg)
    if isinstance(cfg, Mapping) and "_target_" in cfg:
        arguments = {str(name): instantiate(value, _below(key, name)) for name, value in cfg.items()}
        arguments = {name: expanded(value) if isinstance(value, str) else value for name, value in arguments.items()}
        return _call(arguments.pop("_target_"), arguments, Block(cfg, key))
    return cfg


def _items(values: Any, key: str) -> list[Any]:
    return [instantiate(item, _below(key, index)) for index, item in enumerate(values)]


def _below(key: str, name: Any) -> str:
    return f"{key}.{name}" if key else str(name)


def _call(target: Any, arguments: dict[str, Any], block: Block) -> Any:
    function = _function(target, block)
    name = target if isinstance(target, str) else _spoken(target)
    reason = _mismatch(function, arguments)
    if reason is not None:
        where = f"{block.key}: " if block.key else "instantiate: "
        error = ConfigError(f"{where}{name}({', '.join(arguments)}) cannot be called: {reason}")
        raise blame(error, block.key)
    check_values(function, arguments, block)
    try:
        return function(**arguments)
    except UserError as error:
        locate_in(error, arguments, block)
        raise
    except Exception as error:
        raise explain(function, arguments, block, error) from error


def _function(target: Any, block: Block) -> Callable[..., Any]:
    try:
        function = locate(target) if isinstance(target, str) else target
        if not callable(function):
            raise ConfigError(f"instantiate: `_target_` expects something that can be called. Got {function!r}.")
    except UserError as error:
        locate_in(error, {}, Block(block.cfg, block.key and f"{block.key}._target_"))
        raise
    found: Callable[..., Any] = function
    return found


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
