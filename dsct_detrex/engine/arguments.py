"""The command line of ``scripts/train.py``: flags and ``key=value`` overrides in any order.

detectron2's scripts read everything after the first override as overrides, so ``... train.max_iter=10 --resume``
loses the flag. Here the overrides are picked out first and argparse reads the rest; unknown flags are errors with a
suggestion.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass

from dsct_detrex.engine.parser import Parser
from dsct_detrex.errors import UserError
from dsct_detrex.paths import expanded

WANDB_MODES = ("online", "offline", "disabled")
PROVIDERS = ("embedded", "detrex")
UNUSED = ("error", "note")
_OVERRIDE = re.compile(r"(\+{0,2}[^\W\d][^=]*=.*)|(~[^\W\d][^=]*)", re.DOTALL)


@dataclass(frozen=True)
class Arguments:
    """What the user asked for; None where a flag was not given."""

    config: str
    overrides: tuple[str, ...] = ()
    data: str | None = None
    data_root: str | None = None
    hosts_from: str | None = None
    resume: bool = False
    eval_only: bool = False
    dry_run: bool = False
    num_gpus: int | None = None
    device: str | None = None
    epochs: float | None = None
    amp: bool = False
    wandb: str | None = None
    unused_overrides: str = "error"


def parse_arguments(argv: Sequence[str]) -> Arguments:
    """Read a command line, without the name of the program.

    Raises:
        UserError: an unknown flag or word, a value of the wrong type, no config, or a flag without effect; the message
            suggests.
    """
    parser = build_parser()
    flags, overrides = _separate(parser, argv)
    known, left = parser.parse_known_args(flags)
    parser.refuse_left(left)
    if known.config is None:
        raise UserError("Command line: --config FILE is missing. Run with --help for all flags.")
    if known.resume and known.eval_only:
        raise UserError(
            "Command line: --resume has no effect with --eval-only, which trains nothing: name the weights to "
            "evaluate, train.init_checkpoint=<output_dir>/last.pth."
        )
    return Arguments(overrides=tuple(overrides), **vars(known))


def build_parser() -> Parser:
    parser = Parser(
        who="Command line",
        prog="train.py",
        usage="train.py --config FILE [flags] [key=value ...]",
        description="Train or evaluate a model described by a config file.",
        epilog="key=value changes a key of the config, +key=value adds one, ~key deletes one; they win over flags, "
        "flags over --data and --hosts-from, these over the file. Works unchanged under torchrun. DSCT_DEBUG=1 shows "
        "tracebacks.",
    )
    add = parser.add_argument
    add(
        "--config",
        "--config-file",
        "-c",
        type=expanded,
        metavar="FILE",
        help="LazyConfig file (.py) or a saved config.yaml",
    )
    add("--data", metavar="NAME", help="data set of configs/common/data: synthetic, emotic, caer_s")
    add("--data-root", type=expanded, metavar="DIR", help="where the data set lies; sets data.root")
    add("--hosts-from", choices=PROVIDERS, help="whose hosts: ours, or your own detrex's; sets host.provider")
    add("--resume", action="store_true", help="continue from last.pth in train.output_dir")
    add("--eval-only", action="store_true", help="evaluate train.init_checkpoint and stop")
    add("--dry-run", action="store_true", help="build everything, print the plan and stop")
    add("--num-gpus", type=int, metavar="N", help="start N processes, one a GPU; 0: run on the CPU")
    add("--device", choices=("auto", "cpu", "cuda", "mps"), help="sets train.device")
    add("--epochs", type=float, metavar="N", help="train N epochs; sets train.max_epoch")
    add("--amp", action="store_true", help="mixed precision; sets train.amp.enabled")
    add(
        "--wandb",
        nargs="?",
        const="",
        choices=("", *WANDB_MODES),
        metavar="MODE",
        help="log to W&B; =online, =offline, ...",
    )
    add(
        "--unused-overrides",
        choices=UNUSED,
        default="error",
        help="what an override without effect is: an error, or (for one line that serves several configs) a note",
    )
    return parser


def _separate(parser: argparse.ArgumentParser, argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split a command line into what argparse reads and the overrides."""
    flags: list[str] = []
    overrides: list[str] = []
    words = list(argv)
    while words:
        word = words.pop(0)
        if word.startswith("-"):
            flags.append(word)
            if words and _takes_next(parser, word, words[0]):
                flags.append(words.pop(0))
        elif _OVERRIDE.fullmatch(word):
            overrides.append(word)
        else:
            raise UserError(f"Command line: {word!r} is neither a flag nor an override of the form key=value.")
    return flags, overrides


def _takes_next(parser: argparse.ArgumentParser, flag: str, following: str) -> bool:
    """Whether the next word is the value of this flag."""
    action = parser._option_string_actions.get(flag)
    if action is None or action.nargs == 0:
        return False
    return following in WANDB_MODES if action.nargs == "?" else not following.startswith("-")
