"""The command line of ``dsct train``, which ``dsct eval`` shares: flags and ``key=value`` overrides in any order.

detectron2's scripts read everything after the first override as overrides, so ``... train.max_iter=10 --resume``
loses the flag. Here the overrides are picked out first and argparse reads the rest; unknown flags are errors with a
suggestion.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass

from dsct_detrex.cli.flags import add_config, add_data, add_device, add_hosts_from
from dsct_detrex.cli.parser import Parser
from dsct_detrex.cli.values import count, whole
from dsct_detrex.errors import UserError
from dsct_detrex.names import projects
from dsct_detrex.paths import expanded

WANDB_MODES = ("online", "offline", "disabled")
UNUSED = ("error", "note")
_OVERRIDE = re.compile(r"(\+{0,2}[^\W\d][^=]*=.*)|(~[^\W\d][^=]*)", re.DOTALL)


@dataclass(frozen=True)
class Arguments:
    """What the user asked for; None where a flag was not given.

    Attributes:
        config: a config file, the name of a project, or, to evaluate, a release, which has its config inside.
    """

    config: str
    overrides: tuple[str, ...] = ()
    data: str | None = None
    data_root: str | None = None
    split: str | None = None
    weights: str | None = None
    out: str | None = None
    seed: int | None = None
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


def parse(words: Sequence[str]) -> Arguments:
    """Read a command line, without the name of the program.

    Raises:
        UserError: an unknown flag or word, a value of the wrong type, no config, or a flag without effect; the message
            suggests.
    """
    parser = build_parser()
    flags, overrides, others = separate(parser, words)
    known = parser.read(flags)
    if others:
        raise UserError(
            f"Command line: {others[0]!r} is neither a flag nor an override of the form key=value."
            + _as_config(others[0], known.config)
        )
    if known.config is None:
        raise UserError("Command line: --config FILE is missing. Run with --help for all flags.")
    if known.eval_only:
        _check_evaluation(known)
    return Arguments(overrides=tuple(overrides), **vars(known))


def _as_config(word: str, config: str | None) -> str:
    """What to type where a word was meant as the config; empty where it was not."""
    meant = word.removesuffix(".py") in projects() or word.endswith((".py", ".yaml", ".yml"))
    return f" Did you mean `--config {word}`?" if meant and config is None else ""


def _check_evaluation(known: argparse.Namespace) -> None:
    """Raise a ``UserError`` for a flag that means nothing where nothing is trained."""
    remedies = {
        "resume": "name the weights to evaluate, --weights <output_dir>/last.pth",
        "dry_run": "leave one of them out",
        "epochs": "leave it out",
        "amp": "leave it out",
        "seed": "leave it out",
    }
    for name, remedy in remedies.items():
        value = getattr(known, name)
        if value is not None and value is not False:  # --seed 0 is given
            flag = f"--{name.replace('_', '-')}"
            raise UserError(f"Command line: {flag} has no effect with --eval-only, which trains nothing: {remedy}.")


def build_parser() -> Parser:
    parser = Parser(
        command="train",
        who="Command line",
        words="--config FILE [flags] [key=value ...]",
        description="Train a model described by a config file.",
        examples=(
            "--config dino_dsct --data emotic --data-root DIR",
            "--config detr_dsct --dry-run train.max_iter=100 optimizer.lr=1e-4",
            "--config detr_dsct --resume",
        ),
        notes=(f"Projects: {', '.join(projects())}.", *OVERRIDES_NOTES),
    )
    add = parser.add_argument
    add_config(parser)
    add_data(parser)
    add("--weights", type=expanded, metavar="FILE", help="start from these; sets train.init_checkpoint")
    add("--out", type=expanded, metavar="DIR", help="where the run goes; sets train.output_dir")
    add("--resume", action="store_true", help="continue from last.pth in train.output_dir")
    add("--eval-only", action="store_true", help="evaluate train.init_checkpoint and stop, as `eval` does")
    add("--epochs", type=float, metavar="N", help="train N epochs; sets train.max_epoch")
    add("--dry-run", action="store_true", help="build everything, print the plan and stop")
    add("--seed", type=int, metavar="N", help="of all dice, -1 draws one; sets train.seed")
    add("--amp", action="store_true", help="mixed precision; sets train.amp.enabled")
    add_running(parser)
    return parser


OVERRIDES_NOTES = (
    "key=value changes a key of the config, +key=value adds one, ~key deletes one; they win over flags, flags over "
    "--data and --hosts-from, these over the file. Works unchanged under torchrun. DSCT_DEBUG=1 shows tracebacks.",
)


def add_running(parser: Parser) -> None:
    """Flags of whatever runs a config: where, on how many devices, how it is told."""
    add = parser.add_argument
    add_hosts_from(parser, "whose hosts: ours, or your own detrex's; sets host.provider")
    add_device(parser, help="auto, cpu, cuda, cuda:N or mps; sets train.device")
    add("--num-gpus", type=whole, metavar="N", help="start N processes, one a GPU; 0: run on the CPU")
    add("--num-machines", type=count, metavar="N", help="run on N machines: call it on each of them")
    add("--machine-rank", type=whole, metavar="N", help="which of them this is, from 0")
    add("--dist-url", metavar="URL", help="where they meet: tcp://HOST:PORT of machine 0; auto on one machine")
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


def separate(parser: Parser, argv: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
    """Split a command line into what argparse reads, the overrides, and other words.

    detectron2's ``--opts`` before overrides is taken and means nothing.
    """
    flags: list[str] = []
    overrides: list[str] = []
    others: list[str] = []
    words = [word for word in argv if word != "--opts"]
    while words:
        word = words.pop(0)
        if word.startswith("-"):
            flags.append(word)
            if words and parser.takes_next(word, words[0]):
                flags.append(words.pop(0))
        else:
            (overrides if _OVERRIDE.fullmatch(word) else others).append(word)
    return flags, overrides, others
