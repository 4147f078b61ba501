"""Apply command-line overrides to a config, strictly: a misspelt key fails at start-up instead of training for a day.

detectron2 creates whatever key it is given and replaces an interpolated node that an override passes through. Here an
unknown key is an error unless written ``+key=``, and ``model.host.num_queries=10`` changes a copy of the chosen host.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import InterpolationResolutionError, OmegaConfBaseException

from dsct_detrex.config.copies import duplicate
from dsct_detrex.config.errors import ConfigError, ConfigKeyError
from dsct_detrex.config.interpolations import Container, broken_interpolations, keys_of, materialise
from dsct_detrex.config.override_grammar import Override, parse_override
from dsct_detrex.errors import reason_of
from dsct_detrex.suggestions import did_you_mean


def apply_overrides(cfg: DictConfig, overrides: Sequence[str]) -> DictConfig:
    """Change ``cfg`` in place and return it.

    The order on the command line is kept, and the last one wins, except that an override which leads through an
    interpolation waits for those that may change where it leads: in ``model.host.num_queries=10 host.name=dino`` the
    name comes first, and so do top-level keys. A mapping as value (``train.amp={enabled:true}``) is merged key by
    key, unless it has a ``_target_``: then it replaces what was there.

    Args:
        overrides: ``key=value`` changes a key that exists, ``+key=value`` also adds one, ``~key`` deletes one; see
            ``override_grammar`` for keys and values.

    Raises:
        ConfigError: an override cannot be read, names an unknown key, puts a plain value where a mapping is or the
            reverse, or breaks an interpolation that worked before. Earlier overrides may have been applied by then.
    """
    if not overrides:
        return cfg
    parsed = [parse_override(text) for text in overrides]
    before = duplicate(cfg)
    for override in sorted(parsed, key=lambda override: (_leads_through(cfg, override), len(override.key) > 1)):
        _Change(cfg, override).apply()
    _check_interpolations(cfg, before)
    return cfg


class _Change:
    """One override on its way into one config."""

    def __init__(self, root: DictConfig, override: Override) -> None:
        self._root = root
        self._override = override
        self._adds = override.action == "add"

    def apply(self) -> None:
        *parents, last = self._override.key
        try:
            parent = self._descend(parents)
            if self._override.action == "delete":
                del parent[self._known(parent, last, self._override.key)]
            else:
                self._assign(parent, last, self._override.value, self._override.key)
        except InterpolationResolutionError as error:
            reason = _first_line(error)
            raise self._error(
                f"leads through an interpolation that finds nothing: {reason}.{_hint(reason, self._root)}"
            ) from error
        except OmegaConfBaseException as error:
            raise self._error(f"is not accepted by omegaconf: {_first_line(error)}.") from error

    def _descend(self, parts: list[str]) -> Container:
        """The node that holds the last key, copied free of interpolations; missing nodes are made when adding."""
        node: Container = self._root
        for depth, part in enumerate(parts, start=1):
            path = tuple(parts[:depth])
            name = _find(node, part)
            if name is None or (_value(node, name) is None and not OmegaConf.is_interpolation(node, name)):
                if not self._adds:
                    raise self._unknown_key(node, self._override.key)
                name = self._put(node, part if name is None else name, {}, path)
            node = self._enter(node, name, path)
        return node

    def _enter(self, node: Container, name: Any, path: tuple[Any, ...]) -> Container:
        child = node[name]
        if not isinstance(child, (DictConfig, ListConfig)):
            raise ConfigKeyError(
                str(self._error(f"cannot be set, because `{_dotted(path)}` is the value {child!r}, not a mapping."))
            )
        return materialise(node, name) if OmegaConf.is_interpolation(node, name) else child

    def _assign(self, parent: Container, part: Any, value: Any, path: tuple[Any, ...]) -> None:
        name = _find(parent, part)
        if name is None and not self._adds:
            raise self._unknown_key(parent, path)
        if name is None:
            self._put(parent, part, value, path)
            return
        old = _value(parent, name)
        if isinstance(value, dict) and "_target_" not in value and isinstance(old, DictConfig):
            node = self._enter(parent, name, path)
            for key, item in value.items():
                self._assign(node, key, item, (*path, key))
            return
        self._check_kind(parent, name, old, value, path)
        self._put(parent, name, value, path)

    def _put(self, parent: Container, part: Any, value: Any, path: tuple[Any, ...]) -> Any:
        """Write a value that may be new; a list takes one item more at its end. Returns the name it got."""
        if isinstance(parent, DictConfig):
            parent[part] = value
            return part
        if str(part) == str(len(parent)):
            parent.append(value)
            return len(parent) - 1
        if not isinstance(part, int):
            raise self._error(
                f"cannot be added: the next item of this list would be `{_dotted(path[:-1])}.{len(parent)}`."
            )
        parent[part] = value
        return part

    def _known(self, parent: Container, part: Any, path: tuple[Any, ...]) -> Any:
        name = _find(parent, part)
        if name is None:
            raise self._unknown_key(parent, path)
        return name

    def _check_kind(self, parent: Container, name: Any, old: Any, value: Any, path: tuple[Any, ...]) -> None:
        """A mapping stays a mapping and a plain value a plain value; null and interpolations go anywhere."""
        if old is None or value is None or (isinstance(value, str) and "${" in value):
            return
        if isinstance(old, DictConfig) and not isinstance(value, dict):
            by = " (chosen by an interpolation)" if OmegaConf.is_interpolation(parent, name) else ""
            raise self._error(
                f"would replace a mapping{by} by the value {value!r}. Set a key inside it, such as "
                f"`{_dotted((*path, next(iter(keys_of(old)), 'key')))}`, or write null or an interpolation ${{...}}."
            )
        if isinstance(value, dict) and not isinstance(old, DictConfig):
            raise self._error(
                f"would replace the value {old!r} by a mapping. To do so all the same, write "
                f"`~{_dotted(path)}` and `+{_dotted(path)}=...`."
            )

    def _unknown_key(self, deepest: Container, path: tuple[Any, ...]) -> ConfigKeyError:
        key = _dotted(path)
        hint = did_you_mean(key, dotted_keys(self._root), dotted=True)
        if not hint and keys_of(deepest):
            hint = f" Known keys there: {', '.join(str(name) for name in keys_of(deepest))}."
        if self._override.action == "delete":
            return ConfigKeyError(f"Override `{self._override.text}`: there is no key `{key}`.{hint}")
        plus = self._override.text if path == self._override.key else f"{key}=..."
        return ConfigKeyError(
            f"Override `{self._override.text}`: unknown key `{key}`.{hint} Write `+{plus}` to add a new key."
        )

    def _error(self, reason: str) -> ConfigError:
        return ConfigError(f"Override `{self._override.text}`: `{_dotted(self._override.key)}` {reason}")


def dotted_keys(cfg: Container) -> list[str]:
    """Every key of the tree in dotted form, outer before inner; interpolated mappings are entered as well."""
    keys: list[str] = []

    def visit(node: Container, prefix: str, ancestors: tuple[int, ...]) -> None:
        for name in keys_of(node):
            keys.append(f"{prefix}{name}")
            child = _value(node, name)
            if isinstance(child, (DictConfig, ListConfig)) and id(child) not in ancestors:
                visit(child, f"{prefix}{name}.", (*ancestors, id(child)))

    visit(cfg, "", (id(cfg),))
    return keys


def _leads_through(cfg: DictConfig, override: Override) -> bool:
    """Whether the change lands behind an interpolation, rather than at one or away from them."""
    merges = isinstance(override.value, dict) and "_target_" not in override.value
    node: Any = cfg
    for part in override.key if merges else override.key[:-1]:
        name = _find(node, part) if isinstance(node, (DictConfig, ListConfig)) else None
        if name is None:
            return False
        if OmegaConf.is_interpolation(node, name):
            return True
        node = _value(node, name)
    return False


def _check_interpolations(cfg: DictConfig, before: DictConfig) -> None:
    broken = broken_interpolations(cfg)
    broken_before = broken_interpolations(before) if broken else {}
    for key, reason in broken.items():
        if key not in broken_before:
            raise ConfigError(
                f"After the overrides, the interpolation at `{key}` finds nothing: {_plain(reason)}."
                f"{_hint(reason, cfg)}"
            )


def _plain(reason: str) -> str:
    """Omegaconf's reason without the names of its classes."""
    missing = re.search(r"trying to access (.+?): node `(.+?)` is not a container", reason)
    if missing:
        return f"it wants `{missing[1]}`, but `{missing[2]}` is no mapping any more"
    null = re.search(r"instead returned `None`.*: (\$\{.+\})$", reason)
    return f"{null[1]} is null" if null else reason.rstrip(".")


def _hint(reason: str, cfg: DictConfig) -> str:
    """What may have been meant by the key that omegaconf names between quotes: Interpolation key 'x' not found."""
    missing = reason.partition("'")[2].partition("'")[0]
    return did_you_mean(missing, dotted_keys(cfg), dotted=True) if missing else ""


def _find(node: Container, part: Any) -> Any:
    """The key of ``node`` that is written ``part`` (keys and indices may be numbers), or None."""
    return next((name for name in keys_of(node) if name == part or str(name) == str(part)), None)


def _value(node: Container, name: Any) -> Any:
    """What stands at ``node[name]``, interpolations followed; None where nothing does."""
    if OmegaConf.is_missing(node, name):
        return None
    try:
        return node[name]
    except InterpolationResolutionError:
        return None


def _dotted(path: Sequence[Any]) -> str:
    return ".".join(str(part) for part in path)


def _first_line(error: Exception) -> str:
    return reason_of(error)
