"""argparse whose mistakes are ``UserError``s, one sentence each, and whose help has examples and fits 80 columns."""

from __future__ import annotations

import argparse
import re
import textwrap
from collections.abc import Sequence
from typing import Any, NoReturn

from dsct_detrex.cli.invocation import spoken
from dsct_detrex.errors import UserError
from dsct_detrex.paths import shown
from dsct_detrex.suggestions import did_you_mean

_MORE = "Run with --help for all flags."
_WIDTH = 79


class Parser(argparse.ArgumentParser):
    """Takes whole flags only; see ``argparse`` for the rest.

    Args:
        who: what complains, at the start of every message.
        command: the command whose words these are, with its subcommand if it has any: ``data check``.
        words: what follows the command in the line ``usage``.
        examples: words of this command.
        notes: paragraphs at the end of the help.
    """

    def __init__(
        self,
        *,
        command: str,
        words: str = "[flags]",
        who: str = "",
        description: str = "",
        examples: Sequence[str] = (),
        notes: Sequence[str] = (),
        **arguments: Any,
    ) -> None:
        name, *subcommand = command.split()
        program = " ".join([spoken(name), *subcommand])
        arguments["prog"] = program  # where argparse makes a subcommand it would say its own
        super().__init__(
            usage=f"{program} {words}".replace("%", "%%"),
            description=textwrap.fill(description, _WIDTH),
            epilog=_epilog(program, examples, notes),
            formatter_class=_Formatter,
            allow_abbrev=False,
            **arguments,
        )
        self._who = who or command

    def error(self, message: str) -> NoReturn:
        message = re.sub(r"^argument ([^:]+): expect", r"\1 expect", message).removeprefix("argument ")
        ended = message if message.endswith("?") else f"{message.rstrip('.')}."
        raise UserError(f"{self._who}: {ended} {_MORE}")

    def read(self, words: Sequence[str]) -> argparse.Namespace:
        """Read a command line, flags and other words in any order.

        Raises:
            UserError: an unknown flag, a word too many or too few, or a value that cannot be; says which.
        """
        ordered = self._subparsers is not None  # a subcommand reads the rest of the line itself
        read = self.parse_known_args if ordered else self.parse_known_intermixed_args
        options, left = read(list(words))
        if left:
            word = shown(left[0])
            if not word.startswith("-"):
                raise UserError(f"{self._who}: {word!r} is a word too many. {_MORE}")
            hint = did_you_mean(word.split("=")[0], self._flags())
            raise UserError(f"{self._who}: unknown flag {word}.{hint} {_MORE}")
        return options

    def _flags(self) -> list[str]:
        """All flags, those of subcommands included."""
        below = [action.choices.values() for action in self._actions if isinstance(action.choices, dict)]
        return [*self._option_string_actions, *(flag for some in below for parser in some for flag in parser._flags())]

    def takes_next(self, flag: str, following: str) -> bool:
        """Whether the next word of a command line is the value of this flag."""
        action = self._option_string_actions.get(flag)
        if action is None or action.nargs == 0:
            return False
        return following in (action.choices or ()) if action.nargs == "?" else not following.startswith("-")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            known = [str(choice) for choice in action.choices if choice != ""]
            hint = did_you_mean(str(value), known)
            raise argparse.ArgumentError(action, f"expects one of {', '.join(known)}. Got {value!r}.{hint}")


class _Formatter(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=26, width=_WIDTH)


def _epilog(program: str, examples: Sequence[str], notes: Sequence[str]) -> str:
    """Examples as lines to paste, then paragraphs."""
    lines = [f"  {program} {words}".rstrip() for words in examples]
    parts = ["\n".join(["examples:", *lines])] if lines else []
    return "\n\n".join([*parts, *(textwrap.fill(note, _WIDTH) for note in notes)])
