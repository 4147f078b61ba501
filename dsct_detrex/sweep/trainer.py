"""What trains a cell: the command ``train`` as this user can type it, and as a process of its own."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from dsct_detrex.cli.invocation import runnable, spoken


@dataclass(frozen=True)
class Trainer:
    """Attributes:
    command: words that start it in any folder, before those of the training.
    said: the same for the user to read and to paste.
    """

    command: tuple[str, ...]
    said: str

    @classmethod
    def of_this_user(cls) -> Trainer:
        """``dsct train``, or whatever leads to it here."""
        return cls(tuple(runnable("train")), spoken("train"))

    def spoken(self, words: Sequence[str]) -> str:
        """A training as a command line to print."""
        return f"{self.said} {shlex.join(words)}"
