"""The table of commands: how each reads its words, and what then does the work."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Command:
    """One command.

    Attributes:
        summary: what it does, in a line of ``dsct --help``.
        script: the file of ``scripts/`` that does the same; empty where there is none.
        parser: module of ``dsct_detrex.cli`` with ``build_parser()``, light; also with ``parse(words)`` where there is
            more to reading a line than its parser does.
        work: ``module:function`` below ``dsct_detrex``; takes the options and the words, returns the exit status.
        other_work: subcommand -> the same, where another room does it.
        stopped: what is true when it was asked to stop and the work says no more of it, after "Interrupted; ".
    """

    summary: str
    script: str
    parser: str
    work: str
    other_work: Mapping[str, str] = field(default_factory=dict)
    stopped: str = "no file is half-written, and the same command begins anew"

    def parse(self, words: Sequence[str]) -> Any:
        """The options that the words ask for.

        Raises:
            UserError: a word is wrong; says which.
        """
        module = importlib.import_module(f"dsct_detrex.cli.{self.parser}")
        return module.parse(words) if hasattr(module, "parse") else module.build_parser().read(words)

    def load_work(self, action: str = "") -> Callable[[Any, Sequence[str]], int]:
        """The function that does it, or one of its subcommands, with all that it imports."""
        module, _, name = self.other_work.get(action, self.work).partition(":")
        work: Callable[[Any, Sequence[str]], int] = getattr(importlib.import_module(f"dsct_detrex.{module}"), name)
        return work


_TRAINED_IS_KEPT = "what is trained is kept, and the same command goes on"

COMMANDS = {
    "train": Command(
        "train a model, or continue",
        "train.py",
        "train",
        "engine.command_line:train",
        stopped="the run's checkpoints are whole; --resume goes on from the last, if there is one",
    ),
    "eval": Command("measure trained weights on a data set", "", "evaluate", "engine.command_line:train"),
    "predict": Command(
        "find people and their emotions in pictures and videos",
        "predict.py",
        "predict",
        "prediction.command_line:predict",
        {"merge": "prediction.run.merging:merge"},
        stopped="no file is half-written, and the same command with --resume goes on",
    ),
    "visualize": Command(
        "draw what a model sees: people, contexts, sampling points",
        "visualize.py",
        "visualize",
        "figures.command_line:visualize",
    ),
    "calibrate": Command(
        "choose thresholds, and make probabilities mean what they say",
        "calibrate.py",
        "calibrate",
        "calibration.command_line:calibrate",
    ),
    "explain": Command(
        "measure whether a model looks at what tells the emotion",
        "explain.py",
        "explain",
        "explain.command_line:explain",
    ),
    "export": Command("write a model as an ONNX file", "export.py", "export", "export.command_line:export"),
    "web": Command("show in the browser what a model sees", "web.py", "web", "web.command_line:web"),
    "data": Command(
        "check, show or generate a data set, find its faces",
        "data.py",
        "data",
        "data.command_line:look_after",
        {"boxes": "faces.command_line:make_boxes"},
    ),
    "sweep": Command(
        "train a table of the paper", "sweep.py", "sweep", "sweep.command_line:sweep", stopped=_TRAINED_IS_KEPT
    ),
    "demo": Command(
        "train, evaluate and report on drawn scenes",
        "demo.py",
        "demo",
        "demo.command_line:demo",
        stopped=_TRAINED_IS_KEPT,
    ),
    "dashboard": Command(
        "write the W&B dashboard of a project", "dashboard.py", "dashboard", "dashboard.command_line:dashboard"
    ),
    "convert": Command(
        "rename the weights of a checkpoint", "convert_checkpoint.py", "convert", "weights.command_line:convert"
    ),
    "bench": Command(
        "measure how fast this machine does it, and how fast it could",
        "benchmark.py",
        "bench",
        "bench.command_line:bench",
    ),
    "info": Command(
        "say what is in a file of weights, or on this machine",
        "",
        "info",
        "info.command_line:info",
        {"fusion": "diagnosis.command_line:info_fusion"},
    ),
}
