"""Which rewrites there are, which are wanted, and how they come and go.

Every module of ``rewrites/kinds`` that defines ``REWRITES`` takes part: a further rewrite is one file there.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache

from torch import nn

from dsct_detrex.errors import UserError
from dsct_detrex.rewrites import kinds
from dsct_detrex.rewrites.rewrite import Rewrite
from dsct_detrex.suggestions import did_you_mean

ALL, NONE = "all", "none"


@dataclass
class Rewriting:
    """The rewrites that stand in a model; ``remove`` takes them away.

    Attributes:
        counts: how many modules each rewrite serves.
    """

    counts: Counter[str] = field(default_factory=Counter)
    _installed: list[Rewrite] = field(default_factory=list)

    def add(self, kind: type[Rewrite], module: nn.Module) -> None:
        """Put a rewrite in front of a module."""
        standing = kind(module)
        module.forward = standing
        self._installed.append(standing)
        self.counts[kind.name] += 1

    def refresh(self) -> None:
        """Prepare anew from the weights at the next call; only needed after writing through a tensor's ``.data``."""
        for standing in self._installed:
            standing.forget()

    def remove(self) -> None:
        """Give every module the ``forward`` it had."""
        for standing in reversed(self._installed):
            _give_back(standing)
        self._installed.clear()
        self.counts.clear()


def rewrite(model: nn.Module, which: str | Sequence[str] = ALL) -> Rewriting:
    """Put rewrites in front of the modules of a model that they fit; twice is as good as once.

    Args:
        model: any model; what nothing fits stays as it is.
        which: see ``chosen``.

    Raises:
        UserError: an unknown name.
    """
    rewriting = Rewriting()
    for kind in chosen(which):
        for module in model.modules():
            if kind.fits(module) and kind not in map(type, _standing(module)):
                rewriting.add(kind, module)
    return rewriting


def plain_again(model: nn.Module) -> None:
    """Give every module below a model the ``forward`` it had, whoever rewrote it."""
    for module in model.modules():
        for standing in list(_standing(module)):
            _give_back(standing)


@contextmanager
def rewritten(model: nn.Module, which: str | Sequence[str] = ALL) -> Iterator[Rewriting]:
    """``rewrite`` for the length of a ``with`` block."""
    rewriting = rewrite(model, which)
    try:
        yield rewriting
    finally:
        rewriting.remove()


def chosen(which: str | Sequence[str], asker: str = "rewrites") -> tuple[type[Rewrite], ...]:
    """The rewrites of ``all``, ``none``, or a list of names, in the order in which they are put on.

    Raises:
        UserError: an unknown name; lists the known ones. ``asker`` complains.
    """
    wanted = [which] if isinstance(which, str) else list(which)
    if wanted == [ALL]:
        return available()
    if wanted == [NONE]:
        return ()
    known = (ALL, NONE, *names())
    for name in wanted:
        if name in (ALL, NONE):
            raise UserError(f"{asker} expects {name} alone. Got {', '.join(wanted)}. Name the rewrites that you want.")
        if name not in known:
            raise UserError(
                f"{asker} expects {ALL}, {NONE}, or a list of names of {', '.join(names())}. Got {name!r}."
                f"{did_you_mean(name, known)}"
            )
    return tuple(kind for kind in available() if kind.name in wanted)


def names() -> tuple[str, ...]:
    """Of all rewrites, in the order in which they are put on; several kinds of module may share one."""
    return tuple(dict.fromkeys(kind.name for kind in available()))


@cache
def available() -> tuple[type[Rewrite], ...]:
    """All rewrites: the ``REWRITES`` of every module of ``kinds``, sorted by the name of the module."""
    modules = sorted(module.name for module in pkgutil.iter_modules(kinds.__path__))
    found = (importlib.import_module(f"{kinds.__name__}.{name}").REWRITES for name in modules)
    return tuple(kind for rewrites in found for kind in rewrites)


def _standing(module: nn.Module) -> Iterator[Rewrite]:
    """The rewrites in front of a module, the outermost first."""
    forward = module.__dict__.get("forward")
    while isinstance(forward, Rewrite):
        yield forward
        forward = forward.plain


def _give_back(standing: Rewrite) -> None:
    """Take one rewrite out of the chain in front of its module."""
    module, chain = standing.module, list(_standing(standing.module))
    place = chain.index(standing)
    if place > 0:
        chain[place - 1].plain = standing.plain
    elif getattr(standing.plain, "__func__", None) is type(module).forward:
        del module.forward  # the class's own
    else:
        module.forward = standing.plain
