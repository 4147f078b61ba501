"""The command line of ``scripts/predict.py``: every flag checked for its range, every mistake one sentence."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from dsct_detrex.engine.arguments import PROVIDERS
from dsct_detrex.engine.parser import Parser
from dsct_detrex.paths import expanded
from dsct_detrex.prediction.kinds import shown
from dsct_detrex.visualization import RESPONSIBLE_USE

ON_ERROR = ("report", "skip", "raise")


def parse_flags(argv: Sequence[str]) -> argparse.Namespace:
    """Read a command line, without the name of the program; flags and pictures in any order.

    Raises:
        UserError: an unknown flag, or a value that is out of range; the message names both.
    """
    parser = build_parser()
    known, left = parser.parse_known_intermixed_args(list(argv))
    parser.refuse_left([shown(word) for word in left])
    return known


def build_parser() -> Parser:
    parser = Parser(
        who="predict",
        prog="predict.py",
        usage="predict.py CHECKPOINT PICTURE_OR_FOLDER ... [flags]",
        description="Find people and their emotions in pictures.",
        epilog="Exit status: 0 done; 1 pictures could not be read, all others are done; 2 a mistake to mend, or no "
        "picture could be read; 130 interrupted. " + " ".join(RESPONSIBLE_USE),
    )
    add = parser.add_argument
    add("checkpoint", type=expanded, help="best.safetensors or last.safetensors of a run")
    add("inputs", nargs="+", metavar="picture", help="pictures, or folders of pictures (searched through)")
    add("--out", type=expanded, default="runs/predict", metavar="DIR", help="where results go (default: %(default)s)")
    add("--threshold", type=_share, default=0.3, metavar="X", help="least confidence of a person, 0 to 1 (%(default)s)")
    add("--nms", type=_share, default=0.5, metavar="X", help="largest overlap of two people, IoU 0 to 1 (%(default)s)")
    add("--max-emotions", type=_count, default=3, metavar="N", help="lines drawn per person, from 1 (%(default)s)")
    add("--batch-size", type=_count, default=1, metavar="N", help="pictures at a time, from 1 (%(default)s)")
    add("--device", default="auto", metavar="NAME", help="auto, cpu, cuda, cuda:N or mps (%(default)s)")
    add(
        "--on-error",
        default=ON_ERROR[0],
        choices=ON_ERROR,
        help="a picture that cannot be read: report: its row has the reason, exit status 1 at the end; skip: the same "
        "with exit status 0; raise: stop there (%(default)s)",
    )
    add("--hosts-from", default=PROVIDERS[0], choices=PROVIDERS, help="detrex: the model was trained on live hosts")
    add("--no-pictures", action="store_true", help="write the JSON only")
    return parser


def _number(kind: Callable[[str], float], expected: str, text: str, low: float, high: float) -> float:
    try:
        value = kind(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:  # NaN fails too
        raise argparse.ArgumentTypeError(f"expects {expected}. Got {text}")
    return value


def _share(text: str) -> float:
    return _number(float, "a number from 0 to 1", text, 0, 1)


def _count(text: str) -> int:
    return int(_number(int, "a whole number of at least 1", text, 1, float("inf")))
