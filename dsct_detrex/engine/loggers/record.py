"""What a logger receives: everything known about one iteration, at once.

One record per iteration, never two: W&B silently drops a second ``log`` of a step it has passed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from dsct_detrex.engine.contracts import Scalars


@dataclass(frozen=True)
class Prediction:
    """One evaluated image: the model's input and output dicts, on the CPU."""

    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]


@dataclass
class Record:
    """Numbers after ``iteration`` optimizer steps, and the pictures of its evaluation if there was one.

    ``words`` say what the evaluation was measured on, for loggers that can show them.
    """

    iteration: int
    scalars: Scalars = field(default_factory=dict)
    predictions: list[Prediction] = field(default_factory=list)
    words: dict[str, str] = field(default_factory=dict)


class Logger(Protocol):
    def log(self, record: Record) -> None:
        """Write one iteration down; iterations only grow."""

    def close(self, failed: bool) -> None:
        """Finish; ``failed`` when the run ended with an error or an interruption."""
