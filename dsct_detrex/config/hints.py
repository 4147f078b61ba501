"""Whether a plain value fits the type that a constructor states for it, and how that type is said in a message.

Only what a config can hold is judged: null, booleans, numbers, text, and lists of these. A built object, or a type that
says nothing about such values, always fits.
"""

from __future__ import annotations

import functools
import inspect
import os
import types
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from omegaconf import ListConfig

_SCALARS = (bool, int, float, str, types.NoneType)
_NUMBERS: dict[Any, tuple[type, ...]] = {int: (int,), float: (int, float)}


def hints_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Parameter -> stated type; empty where the function tells none that can be read."""
    while isinstance(function, functools.partial):
        function = function.func
    try:
        return _read(function)
    except TypeError:  # not hashable
        return {}


@functools.lru_cache(maxsize=1024)
def _read(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        parameters = inspect.signature(function).parameters.values()
        stated = get_type_hints(function.__init__ if isinstance(function, type) else function)  # type: ignore[misc]
    except (TypeError, ValueError, NameError, AttributeError):
        return {}
    single = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {p.name: stated[p.name] for p in parameters if p.kind in single and p.name in stated}


def fits(value: Any, hint: Any) -> bool:
    """Whether ``value`` may stand where ``hint`` is asked for; an int is a float, a bool is no number."""
    if get_origin(hint) in (Union, types.UnionType):
        return any(fits(value, one) for one in get_args(hint))
    if isinstance(value, (list, tuple, ListConfig)):
        return _list_fits(list(value), hint)
    if not isinstance(value, _SCALARS) or hint is Any:
        return True
    if hint is None or hint is types.NoneType or value is None:
        return value is None and hint in (None, types.NoneType, object)
    if get_origin(hint) is Literal:
        return any(value == one and type(value) is type(one) for one in get_args(hint))
    if hint in _NUMBERS or isinstance(value, bool):
        return hint in (bool, object) if isinstance(value, bool) else isinstance(value, _NUMBERS[hint])
    return _class_takes(get_origin(hint) or hint, value)


def _list_fits(values: list[Any], hint: Any) -> bool:
    origin, inner = get_origin(hint) or hint, get_args(hint)
    if not isinstance(origin, type) or origin is object:
        return True
    if origin is tuple and inner and inner[-1] is not Ellipsis:
        return len(values) == len(inner) and all(fits(one, want) for one, want in zip(values, inner))
    if origin is list or origin is tuple or (issubclass(origin, Iterable) and not issubclass(origin, (str, Mapping))):
        return not inner or all(fits(one, inner[0]) for one in values)
    return origin not in (*_SCALARS, dict) and not issubclass(origin, Mapping)


def _class_takes(kind: Any, value: Any) -> bool:
    """Whether a class accepts a number or a text."""
    if not isinstance(kind, type):
        return True
    if isinstance(value, str) and issubclass(kind, os.PathLike):
        return True
    if isinstance(value, str) and issubclass(kind, Collection) and kind is not str:
        return False  # a text is a sequence of letters, but never the list that is meant
    try:
        return isinstance(value, kind)
    except TypeError:  # a protocol that cannot be asked
        return False


def spoken_hint(hint: Any) -> str:
    """``float``, ``int or null``, ``a list of int``, ``one of 'a', 'b'``."""
    if get_origin(hint) in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(spoken_hint(one) for one in get_args(hint)))
    if hint is None or hint is types.NoneType:
        return "null"
    inner = get_args(hint)
    if get_origin(hint) is Literal:
        return " or ".join(str(one) for one in inner)
    origin = get_origin(hint) or hint
    if isinstance(origin, type) and origin is not str and issubclass(origin, Collection):
        if issubclass(origin, Mapping):
            return "a mapping"
        if origin is tuple and inner and inner[-1] is not Ellipsis:
            return f"a list of {len(inner)} ({', '.join(spoken_hint(one) for one in inner)})"
        return f"a list of {spoken_hint(inner[0])}" if inner else "a list"
    return "a function" if origin is Callable or "Callable" in str(origin) else getattr(origin, "__name__", str(hint))
