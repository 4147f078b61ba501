"""``dsct COMMAND ...``, installed by the package; ``python -m dsct_detrex`` is the same."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from dsct_detrex import __version__
from dsct_detrex.cli.commands import COMMANDS
from dsct_detrex.cli.invocation import PROGRAM
from dsct_detrex.cli.running import guarded, run_command
from dsct_detrex.errors import UserError
from dsct_detrex.suggestions import did_you_mean

_HELP = ("-h", "--help", "help")
_VERSION = ("--version", "-V", "version")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return the exit status.

    Args:
        argv: without the program's name; None takes the process's own.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["help"] and len(words) > 1:
        words = [*words[1:], "--help"]
    if words and words[0] in COMMANDS:
        return run_command(words[0], words[1:])
    return guarded(lambda: _about(words))


def _about(words: Sequence[str]) -> int:
    if words and words[0] in _VERSION:
        print(f"{PROGRAM} {__version__}")
    elif not words or words[0] in _HELP:
        print(overview())
    else:
        hint = did_you_mean(words[0], COMMANDS) or f" Its commands: {', '.join(COMMANDS)}."
        raise UserError(f"{PROGRAM}: there is no command {words[0]!r}.{hint}")
    return 0


def overview() -> str:
    """What ``dsct --help`` prints."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {command.summary}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            f"usage: {PROGRAM} COMMAND [words ...]",
            "",
            "Emotion recognition with detection transformers: who is in a picture and what",
            "they seem to feel (DSCT, arXiv:2404.17205).",
            "",
            "commands:",
            *lines,
            "",
            f"{PROGRAM} COMMAND --help has its flags and examples; {PROGRAM} --version the version.",
            "DSCT_DEBUG=1 shows the traceback behind an error.",
        ]
    )
