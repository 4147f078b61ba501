"""The command line of ``dsct bench``."""

from __future__ import annotations

import argparse
import re

from dsct_detrex.cli.flags import add_device, add_overwrite
from dsct_detrex.cli.parser import Parser
from dsct_detrex.cli.values import count
from dsct_detrex.names import suites
from dsct_detrex.paths import expanded

_LEAST_SIDE = 32


def build_parser() -> Parser:
    parser = Parser(
        command="bench",
        words="[SUITE ...] [flags]",
        description="Time the ways of doing the same work in turns: what each takes, how far its result lies from the "
        "first one's, and what this machine could do at best.",
        examples=(
            "--quick",
            "operator fusion --sizes 480x640",
            "model --hosts dino detr --out runs/bench",
            "model step --against ~/DSCT --against ~/detrex",
        ),
        notes=(
            f"Suites: {', '.join(suites())}. Without one, all are run, which takes an hour on two cores.",
            "Exit status: 0 every candidate was measured; 1 some could not be, which their rows say; 2 a mistake to "
            "mend; 130 or 143 interrupted: what was measured is kept, and the same command goes on.",
        ),
    )
    add = parser.add_argument
    add("suites", nargs="*", metavar="SUITE", help="what to measure (default: all)")
    add("--suite", nargs="+", action="extend", default=[], metavar="SUITE", help="the same as a flag")
    add("--hosts", nargs="+", metavar="NAME", help="hosts (default: those of the suite)")
    add("--sizes", nargs="+", type=size, metavar="HxW", help="of pictures, height x width (default: of the suite)")
    add("--repeats", type=count, metavar="N", help="turns of every candidate (default: 7; 3 with --quick)")
    add("--threads", type=count, metavar="N", help="threads of the CPU (default: what torch takes)")
    add_device(parser, "auto")
    add("--quick", action="store_true", help="small pictures, few hosts and points, no memory: a minute or two")
    add("--no-memory", action="store_true", help="do not start a process a candidate to measure its memory")
    add(
        "--against",
        type=expanded,
        action="append",
        default=[],
        metavar="DIR",
        help="checkout of the official DSCT code, or of detrex, to put beside ours; may be given twice",
    )
    add("--out", type=expanded, metavar="DIR", help="write JSON, Markdown and plots there, a file a suite")
    add_overwrite(parser, "replace what is in DIR")
    add("--list", action="store_true", help="say what the suites measure, and stop")
    return parser


def size(text: str) -> tuple[int, int]:
    """``480x640``: height and width in pixels."""
    found = re.fullmatch(r"(\d+)x(\d+)", text)
    if not found or min(int(side) for side in found.groups()) < _LEAST_SIDE:
        raise argparse.ArgumentTypeError(
            f"expects HEIGHTxWIDTH in pixels, each at least {_LEAST_SIDE}, such as 480x640. Got {text}"
        )
    return int(found[1]), int(found[2])
