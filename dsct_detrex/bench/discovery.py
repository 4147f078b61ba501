"""Which suites there are: every module of ``bench/suites``."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import cast

from dsct_detrex.bench.contracts import Suite
from dsct_detrex.errors import UserError
from dsct_detrex.names import suites
from dsct_detrex.suggestions import did_you_mean


def find_suite(name: str) -> Suite:
    """The suite of a name.

    Raises:
        UserError: there is none; lists those there are.
    """
    if name not in suites():
        hint = did_you_mean(name, suites()) or f" Suites: {', '.join(suites())}."
        raise UserError(f"bench: there is no suite {name!r}.{hint}")
    return cast(Suite, importlib.import_module(f"dsct_detrex.bench.suites.{name}"))


def chosen_suites(names: Sequence[str]) -> list[Suite]:
    """Those of the names, each once; all where there are none."""
    return [find_suite(name) for name in dict.fromkeys(names or suites())]


def title_of(suite: Suite) -> str:
    """The first sentence of its docstring."""
    return (suite.__doc__ or "").strip().split("\n")[0].rstrip(".")


def name_of(suite: Suite) -> str:
    return suite.__name__.rpartition(".")[2]
