"""The command line of ``dsct train``: flags and ``key=value`` overrides in any order.

detectron2's scripts read everything after the first override as overrides, so ``... train.max_iter=10 --resume``
loses the flag. Here the overrides are picked out first and argparse reads the rest; unknown flags are errors with a
suggestion.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dsct_detrex.cli.flags import add_config, add_data, add_hosts_from
from dsct_detrex.cli.parser import Parser
from dsct_detrex.cli.values import count, whole
from dsct_detrex.errors import UserError
from dsct_detrex.names import projects

WANDB_MODES = ("online", "offline", "disabled")
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
    num_machines: int | None = None
    machine_rank: int | None = None
    dist_url: str | None = None
    device: str | None = None
    epochs: float | None = None
    amp: bool = False
    wandb: str | None = None
    unused_overrides: str = "error"


def parse(argv: Sequence[str]) -> Arguments:
    """Read a command line, without the name of the program.

    Raises:
        UserError: an unknown flag or word, a value of the wrong type, no config, or a flag without effect; the message
            suggests.
    """
    parser = build_parser()
    flags, overrides = _separate(parser, argv)
    known = parser.read(flags)
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
        command="train",
        who="Command line",
        words="--config FILE [flags] [key=value ...]",
        description="Train or evaluate a model described by a config file.",
        examples=(
            "--config dino_dsct --data emotic --data-root DIR",
            "--config detr_dsct --dry-run train.max_iter=100 optimizer.lr=1e-4",
            "--config detr_dsct --resume",
        ),
        notes=(
            f"Projects: {', '.join(projects())}.",
            "key=value changes a key of the config, +key=value adds one, ~key deletes one; they win over flags, flags "
            "over --data and --hosts-from, these over the file. Works unchanged under torchrun. DSCT_DEBUG=1 shows "
            "tracebacks.",
        ),
    )
    add = parser.add_argument
    add_config(parser)
    add_data(parser)
    add_hosts_from(parser, "whose hosts: ours, or your own detrex's; sets host.provider")
    add("--resume", action="store_true", help="continue from last.pth in train.output_dir")
    add("--eval-only", action="store_true", help="evaluate train.init_checkpoint and stop")
    add("--dry-run", action="store_true", help="build everything, print the plan and stop")
    add("--num-gpus", type=whole, metavar="N", help="start N processes, one a GPU; 0: run on the CPU")
    add("--num-machines", type=count, metavar="N", help="train on N machines: call it on each of them")
    add("--machine-rank", type=whole, metavar="N", help="which of them this is, from 0")
    add("--dist-url", metavar="URL", help="where they meet: tcp://HOST:PORT of machine 0; auto on one machine")
    add("--device", choices=("auto", "cpu", "cuda", "mps"), help="sets train.device")
    add("--epochs", type=float, metavar="N", help="train N epochs; sets train.max_epoch")
    add("--amp", action="store_true", help="mixed precision; sets train.amp.enabled")
    add(
        "--wandb",
        nargs="?",
        const="",
        choices=("", *WANDB_MODES),
        metavar="MODE",
        help="log to W&B; =online, =offline, =disabled",
    )
    add(
        "--unused-overrides",
        choices=UNUSED,
        default="error",
        help="what an override without effect is: an error (default), or a note, for one line that serves several "
        "configs",
    )
    return parser


def _separate(parser: Parser, argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split a command line into what argparse reads and the overrides."""
    flags: list[str] = []
    overrides: list[str] = []
    words = list(argv)
    while words:
        word = words.pop(0)
        if word.startswith("-"):
            flags.append(word)
            if words and parser.takes_next(word, words[0]):
                flags.append(words.pop(0))
        elif _OVERRIDE.fullmatch(word):
            overrides.append(word)
        else:
            raise UserError(f"Command line: {word!r} is neither a flag nor an override of the form key=value.")
    return flags, overrides
