"""argparse whose mistakes are ``UserError``s: one sentence each, without its usage."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from dsct_detrex.errors import UserError
from dsct_detrex.suggestions import did_you_mean

_MORE = "Run with --help for all flags."


class Parser(argparse.ArgumentParser):
    """Takes whole flags only; see ``argparse`` for the rest.

    Args:
        who: what complains, at the start of every message.
    """

    def __init__(self, *, who: str, **arguments: Any) -> None:
        super().__init__(allow_abbrev=False, **arguments)
        self._who = who

    def error(self, message: str) -> NoReturn:
        message = re.sub(r"^argument ([^:]+): expect", r"\1 expect", message).removeprefix("argument ")
        raise UserError(f"{self._who}: {message.rstrip('.')}. {_MORE}")

    def refuse_left(self, left: Sequence[str]) -> None:
        """Raise a ``UserError`` about the first of the words that no flag took, if there are any."""
        if left:
            hint = did_you_mean(left[0].split("=")[0], self._option_string_actions)
            raise UserError(f"{self._who}: unknown flag {left[0]}.{hint} {_MORE}")
