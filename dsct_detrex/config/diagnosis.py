"""Why a block of a config could not be built, in one sentence that starts with the key to change.

In this order: an argument that does not fit the type the callee states; an argument that the callee's own message
names or quotes; else the block itself. A value that came through an interpolation is blamed on the key it came from.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar, get_args, get_origin

from omegaconf import DictConfig, ListConfig, OmegaConf

from dsct_detrex.config.errors import ConfigError
from dsct_detrex.config.hints import fits, hints_of, spoken_hint
from dsct_detrex.config.targets import target_name
from dsct_detrex.errors import UserError, reason_of
from dsct_detrex.suggestions import did_you_mean

_Error = TypeVar("_Error", bound=UserError)

_SHOWN = 60  # characters of a value in a message
_OWN = "dsct_detrex"
_KNOWN = (_OWN, "torch", "fvcore", "detectron2", "detrex")  # whose numbers are finite


class Block:
    """One mapping with a ``_target_``, by its place in the config.

    Args:
        cfg: the mapping itself.
        key: its dotted key; empty where nobody knows.
    """

    def __init__(self, cfg: Mapping[Any, Any], key: str) -> None:
        self.cfg = cfg
        self.key = key

    def key_of(self, name: str) -> str:
        """The dotted key of an argument: where its value really stands, if an interpolation leads there."""
        own = f"{self.key}.{name}" if self.key else name
        if not isinstance(self.cfg, DictConfig) or not OmegaConf.is_interpolation(self.cfg, name):
            return own
        node = self.cfg._get_node(name)._dereference_node()  # type: ignore[union-attr]
        return full_key(node) or own

    def says(self, name: str, value: Any, sentence: str) -> ConfigError:
        """An error that blames one argument."""
        shown = f"={_shown(value)}" if _is_plain(value) else ""
        return blame(ConfigError(f"{self.key_of(name)}{shown}: {sentence}"), self.key_of(name))


def full_key(node: Any) -> str:
    """The dotted key of a node of a config, empty for the root and for what is no node."""
    return str(node._get_full_key(None) or "") if hasattr(node, "_get_full_key") else ""


def blame(error: _Error, key: str) -> _Error:
    """Mark an error as one that names its key."""
    error.key = key
    return error


def check_values(function: Callable[..., Any], arguments: Mapping[str, Any], block: Block) -> None:
    """Raise a ``ConfigError`` for a value that the callee's stated types exclude, before it can do harm in silence.

    The types of this package are strict; those of others are only looked at when a call fails. NaN is never meant.
    """
    module = str(getattr(function, "__module__", "") or "")
    for name, value in arguments.items():
        for number in value if isinstance(value, (list, tuple, ListConfig)) else (value,):
            if isinstance(number, float) and (
                math.isnan(number) or (module.split(".")[0] in _KNOWN and math.isinf(number))
            ):
                raise block.says(name, value, f"{spoken(function)}({name}=) expects a finite number.")
    if module.split(".")[0] == _OWN:
        misfit = _misfit(function, arguments, block)
        if misfit is not None:
            raise misfit


def explain(function: Callable[..., Any], arguments: Mapping[str, Any], block: Block, error: Exception) -> ConfigError:
    """The error to raise in the place of whatever the callee raised."""
    misfit = _misfit(function, arguments, block)
    if misfit is not None:
        return misfit
    text = reason_of(error)
    name = _named_in(text, arguments)
    if name is not None:
        own_words = f"{name}=)" in text or text.startswith(getattr(function, "__name__", "?"))
        return block.says(name, arguments[name], f"{text}." if own_words else f"{spoken(function)} says: {text}.")
    where = f"{block.key}: " if block.key else ""
    plain = ", ".join(name for name, value in arguments.items() if _is_plain(value) and value is not None)
    remedy = f" Look at {plain}." if plain else ""
    sentence = f"{where}{spoken(function)} cannot be built ({type(error).__name__}: {text}).{remedy}"
    return blame(ConfigError(sentence), block.key)


def locate_in(error: UserError, arguments: Mapping[str, Any], block: Block) -> None:
    """Put the key in front of a sentence of ours that lacks it, in place, so that the error keeps its class."""
    if error.key or not block.key:
        return
    text = str(error)
    named = re.search(r"\b(\w+)=\)", text) or re.search(r"\b(\w+)=", text)
    key = block.key_of(named[1]) if named and named[1] in arguments else block.key
    blame(error, key)
    if key not in text:
        error.args = (f"{key}: {text}",)


def spoken(function: Any) -> str:
    """The shortest name of a callable."""
    try:
        return target_name(function)
    except ConfigError:
        return getattr(function, "__qualname__", None) or repr(function)


def _misfit(function: Callable[..., Any], arguments: Mapping[str, Any], block: Block) -> ConfigError | None:
    """The first argument that does not fit its stated type."""
    hints = hints_of(function)
    for name, value in arguments.items():
        if name not in hints or fits(value, hints[name]):
            continue
        hint = hints[name]
        near = did_you_mean(value, get_args(hint)) if get_origin(hint) is Literal and isinstance(value, str) else ""
        kind = "" if get_origin(hint) is Literal else f", got {_kind(value)}"
        return block.says(name, value, f"{spoken(function)}({name}=) expects {spoken_hint(hint)}{kind}.{near}")
    return None


def _named_in(text: str, arguments: Mapping[str, Any]) -> str | None:
    """The argument that a message names first; else the only one whose value it quotes last, else the only
    number that is not positive."""
    places = {name: re.search(rf"\b{re.escape(name)}\b", text) for name in arguments}
    named = {name: match.start() for name, match in places.items() if match}
    if named:
        return min(named, key=lambda name: named[name])
    quoted = {name: _last_quoted(text, value) for name, value in arguments.items() if _is_plain(value)}
    last = max(quoted.values(), default=-1)
    by_quote = [name for name, place in quoted.items() if place == last >= 0]
    not_positive = [n for n, v in arguments.items() if isinstance(v, (int, float)) and v <= 0 and v is not False]
    suspects = by_quote or not_positive
    return suspects[0] if len(suspects) == 1 else None


def _last_quoted(text: str, value: Any) -> int:
    """Where a message last has a value, or an item of a list, as a word of its own; -1 where it has not."""
    items = list(value) if isinstance(value, (list, tuple, ListConfig)) else [value]
    words = [re.escape(str(item)) for item in items if isinstance(item, (int, float, str)) and str(item)]
    found = [match.start() for word in words for match in re.finditer(rf"(?<![\w.-]){word}(?![\w]|\.\w)", text)]
    return max(found, default=-1)


def _is_plain(value: Any) -> bool:
    if isinstance(value, (list, tuple, ListConfig)):
        return all(_is_plain(item) for item in value)
    return value is None or isinstance(value, (bool, int, float, str))


def _shown(value: Any) -> str:
    text = repr(list(value)) if isinstance(value, (tuple, ListConfig)) else repr(value)
    text = {"None": "null"}.get(text, text)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if not isinstance(value, (list, tuple, ListConfig)):
        return type(value).__name__
    return "a list of " + (", ".join(dict.fromkeys(_kind(item) for item in value)) or "nothing")
