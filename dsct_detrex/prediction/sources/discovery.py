"""Which kinds of sources there are, every module of ``sources/kinds``, and what a command line names through them."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import cast

from dsct_detrex.errors import UserError
from dsct_detrex.paths import shown
from dsct_detrex.prediction.pictures import Once
from dsct_detrex.prediction.sources import kinds as package
from dsct_detrex.prediction.sources.contract import Search, Source, Unit


@cache
def kinds() -> tuple[Source, ...]:
    """All of them, in the order in which they are asked."""
    names = [module.name for module in pkgutil.iter_modules(package.__path__)]
    modules = [cast(Source, importlib.import_module(f"{package.__name__}.{name}")) for name in names]
    return tuple(sorted(modules, key=lambda kind: kind.ORDER))


def kind_of(word: str) -> Source:
    """The first kind that a word belongs to; the last one asked takes every word."""
    return next(kind for kind in kinds() if kind.recognises(word))


@dataclass
class Named:
    """What a command line names.

    Attributes:
        known: units that lie on the disk, each once.
        live: units that come while the program runs, each once and none that is in ``known``; empty iterator if none.
        is_live: whether there may be such.
    """

    known: list[Unit]
    live: Iterator[Unit]
    is_live: bool


def name_units(words: Sequence[str], search: Search) -> Named:
    """Ask every word; live sources are begun when their first unit is asked for.

    Raises:
        UserError: a word names nothing, or all of them together no picture.
    """
    once = Once(search.left_out)
    chosen = [(kind_of(word), word) for word in words]
    known = [unit for kind, word in chosen if not kind.LIVE for unit in kind.units(word, search) if once.is_new(unit)]
    live = [(kind, word) for kind, word in chosen if kind.LIVE]
    if not known and not live:
        besides = f" Left out: {search.left_out.sentence()}." if search.left_out else ""
        raise UserError(f"predict: no picture in {', '.join(shown(word) for word in words)}.{besides}")
    coming = chain.from_iterable(kind.units(word, search) for kind, word in live)
    return Named(known, (unit for unit in coming if once.is_new(unit)), bool(live))
