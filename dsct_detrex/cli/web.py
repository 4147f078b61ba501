"""The command line of ``dsct web``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from dsct_detrex.cli.flags import CHECKPOINT_OR_EXPORT, add_device, add_hosts_from, add_kept_people
from dsct_detrex.cli.parser import Parser
from dsct_detrex.cli.values import port
from dsct_detrex.errors import UserError
from dsct_detrex.names import PROVIDERS
from dsct_detrex.paths import expanded
from dsct_detrex.responsible_use import RESPONSIBLE_USE

DEMO = "runs/demo/dsct/best.safetensors"
"""What ``make demo`` leaves, shown where no checkpoint is named."""


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Read a command line, without the name of the program.

    Raises:
        UserError: an unknown flag, a word too many, or ``--share``.
    """
    if any(word.split("=")[0] == "--share" for word in words):
        raise UserError(
            "web: --share is not offered, because it would send people's pictures through a server of somebody else. "
            "Your own network reaches the page with --host 0.0.0.0."
        )
    return build_parser().read(words)


def build_parser() -> Parser:
    parser = Parser(
        command="web",
        words="[CHECKPOINT] [flags]",
        description="Show in the browser what a model sees in a picture: people, their emotions, and which contexts "
        "and points of the picture it took into account.",
        examples=("", "runs/dino_dsct --threshold 0.5", "best.safetensors --host 0.0.0.0 --port 8000"),
        notes=(
            "Pictures stay on this machine, in a temporary folder that is deleted. The page asks nothing of any other "
            "machine. Ctrl-C ends it.",
            *RESPONSIBLE_USE,
        ),
    )
    add = parser.add_argument
    add(
        "checkpoint",
        nargs="?",
        type=expanded,
        default=DEMO,
        metavar="CHECKPOINT",
        help=f"{CHECKPOINT_OR_EXPORT} (default: {DEMO})",
    )
    add("--host", default="127.0.0.1", metavar="ADDRESS", help="who can open it (default: %(default)s, this machine)")
    add("--port", type=port, default=7860, metavar="N", help="0: any that is free (default: %(default)s)")
    add_kept_people(parser, "where the slider of a person's least confidence starts, 0 to 1")
    add_device(parser, "auto")
    add_hosts_from(parser, "detrex: the model was trained on live hosts (default: %(default)s)", PROVIDERS[0])
    return parser
