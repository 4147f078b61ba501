"""Tables of functions by their names, which a user extends by a decorator: formulas, re-weightings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import getfile
from typing import Any, TypeVar

from dsct_detrex.errors import UserError
from dsct_detrex.suggestions import did_you_mean

Entry = TypeVar("Entry")


def check_name_is_free(function: Callable[..., Any], known: Callable[..., Any] | None, asker: str) -> None:
    """Whether a function may have its name in a table.

    Args:
        known: the one that has it so far.
        asker: who complains.

    Raises:
        UserError: that one stands in another file. A config that is loaded twice defines its function twice; that is
            the same one.
    """
    if known is not None and getfile(known) != getfile(function):
        raise UserError(
            f"{asker}: `{function.__name__}` in {getfile(function)} expects a name of its own; "
            f"{getfile(known)} has one of that name. Rename the function."
        )


def find_by_name(table: Mapping[str, Entry], name: str, asker: str) -> Entry:
    """The entry of a name.

    Args:
        asker: who complains.

    Raises:
        UserError: there is none; the message lists those there are.
    """
    if name not in table:
        raise UserError(f"{asker} expects one of {', '.join(table)}. Got {name!r}.{did_you_mean(str(name), table)}")
    return table[name]
