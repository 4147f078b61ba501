"""Dotted names and the Python objects they stand for, in both directions.

A saved config cannot hold a class or a function, only its name; ``locate`` and ``target_name`` are inverse to each
other, and ``target_name`` refuses whatever ``locate`` could not find again.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from dsct_detrex.config.errors import ConfigError
from dsct_detrex.suggestions import did_you_mean


def locate(name: str) -> Any:
    """Import and return the object called ``package.module.Name`` or ``package.module.Class.method``.

    Raises:
        ConfigError: the name has no dot, or a part of it does not exist; the message suggests near names.
    """
    parts = name.split(".")
    if len(parts) < 2 or not all(part.isidentifier() for part in parts):
        raise ConfigError(f"locate(name=) expects a dotted name such as torch.nn.Linear. Got {name!r}.")
    found: Any = None
    depth = 0
    for depth in range(len(parts) - 1, 0, -1):
        found = _import(".".join(parts[:depth]))
        if found is not None:
            break
    if found is None:
        raise ConfigError(f"locate: there is no module `{parts[0]}`, so `{name}` cannot be found. Install it first.")
    for part in parts[depth:]:
        if not hasattr(found, part):
            raise ConfigError(
                f"locate: `{name}` does not exist: `{_spoken(found)}` has no `{part}`.{did_you_mean(part, dir(found))}"
            )
        found = getattr(found, part)
    return found


def named(name: str, keywords: Mapping[str, Any] | None = None) -> Any:
    """The object that a saved config mentions as a value, such as ``norm_layer=nn.LayerNorm``.

    Args:
        name: its dotted name.
        keywords: with them the object comes back as ``functools.partial(object, **keywords)``.

    Raises:
        ConfigError: see ``locate``.
    """
    found = locate(name)
    return found if keywords is None else functools.partial(found, **{str(k): v for k, v in keywords.items()})


def target_name(target: Any) -> str:
    """The shortest dotted name under which ``locate`` finds ``target`` again, e.g. ``torch.nn.Linear``.

    Raises:
        ConfigError: there is none. The message is the end of a sentence whose subject the caller knows: "is a lambda".
    """
    module, qualname = getattr(target, "__module__", None), getattr(target, "__qualname__", None)
    if not module or not qualname:
        raise ConfigError(f"is a built `{type(target).__qualname__}`, not a function or class of a module")
    if "<lambda>" in qualname:
        raise ConfigError(f"is a lambda (line {target.__code__.co_firstlineno} of {target.__code__.co_filename})")
    if "<locals>" in qualname:
        raise ConfigError(f"is `{qualname}`, defined inside a function")
    if module == "__main__":
        raise ConfigError(f"is `{qualname}` of the running script (__main__), which another program does not see")
    name = f"{_shortest_module(module, qualname, target)}.{qualname}"
    if not _same(_lookup(sys.modules.get(module), qualname), target):
        raise ConfigError(f"is not what the name `{name}` stands for (a method of an object, or defined in a config)")
    return name


def _import(name: str) -> ModuleType | None:
    """The module, or None where it (not one of its own imports) does not exist."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if f"{name}.".startswith(f"{error.name}."):
            return None
        raise


def _shortest_module(module: str, qualname: str, target: Any) -> str:
    """``torch.nn`` for ``torch.nn.modules.linear.Linear``: the outermost package that offers the same object."""
    parts = module.split(".")
    packages = [".".join(parts[:depth]) for depth in range(1, len(parts))]
    return next((p for p in packages if _same(_lookup(sys.modules.get(p), qualname), target)), module)


def _lookup(owner: Any, qualname: str) -> Any:
    for part in qualname.split("."):
        owner = getattr(owner, part, None)
    return owner


def _same(found: Any, target: Any) -> bool:
    # A class method is a new object at every access; equality compares its function and its class.
    return found is target or (inspect.ismethod(target) and found == target)


def _spoken(owner: Any) -> str:
    return str(getattr(owner, "__qualname__", None) or getattr(owner, "__name__", owner))
