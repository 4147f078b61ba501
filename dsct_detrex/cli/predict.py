"""The command line of ``dsct predict``: every flag checked for its range, every mistake one sentence."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from dsct_detrex.cli.flags import CHECKPOINT_OR_EXPORT, add_device, add_hosts_from, add_kept_people, add_overwrite
from dsct_detrex.cli.parser import Parser
from dsct_detrex.cli.values import count
from dsct_detrex.names import PROVIDERS, table_formats
from dsct_detrex.paths import expanded
from dsct_detrex.responsible_use import RESPONSIBLE_USE
from dsct_detrex.suggestions import did_you_mean

ON_ERROR = ("report", "skip", "raise")
PRECISIONS = ("off", "auto", "on", "bfloat16", "float16")
ROWS, PICTURES, VIDEO = "json", "pictures", "video"
"""Formats that are no tables: the rows, which are always written, and what is drawn."""
_MERGE = "--merge"


def build_parser() -> Parser:
    parser = Parser(
        command="predict",
        words="CHECKPOINT SOURCE ... [flags]",
        description="Find people and their emotions in pictures and videos.",
        examples=(
            "runs/demo/dsct/best.safetensors photo.jpg",
            "runs/dino_dsct photos/ --recursive --out found --threshold 0.5",
            "runs/dino_dsct 'photos/*_a.jpg' clip.mp4 --format csv,video",
            "runs/dino_dsct @list.txt --batch-size 8 --resume",
        ),
        notes=(
            "A source is a picture, a folder, a quoted pattern, a text file of paths (list.txt or @list), a video, "
            "webcam or webcam:1, or - for paths on standard input.",
            "torchrun --nproc-per-node N scripts/predict.py ..., or --shard I/N on N machines, splits the work; "
            "--resume goes on where it was interrupted.",
            "Exit status: 0 done; 1 pictures could not be read, all others are done; 2 a mistake to mend, or no "
            "picture could be read; 130 or 143 interrupted. With --resume and --merge, rows that were there before "
            "count too.",
            *RESPONSIBLE_USE,
        ),
    )
    add = parser.add_argument
    add("checkpoint", type=expanded, help=CHECKPOINT_OR_EXPORT)
    add("inputs", nargs="+", metavar="picture", help="pictures, folders, patterns, lists, videos, webcam, -")
    add("--recursive", action="store_true", help="search folders inside folders, too")
    add("--out", type=expanded, default="runs/predict", metavar="DIR", help="where results go (default: %(default)s)")
    _add_format(parser, (PICTURES, VIDEO))
    add("--no-pictures", action="store_true", help="draw nothing: tables and rows alone")
    add_kept_people(parser)
    add("--max-emotions", type=count, default=3, metavar="N", help="lines drawn per person (default: %(default)s)")
    add("--batch-size", type=count, default=1, metavar="N", help="pictures at a time (default: %(default)s)")
    add_device(parser, "auto")
    add(
        "--amp",
        default=PRECISIONS[0],
        choices=PRECISIONS,
        help="off: float32, as evaluations measure; auto: 16 bits where the device multiplies in them; on, or a type: "
        "in any case (default: %(default)s)",
    )
    add(
        "--rewrites",
        default="all",
        type=lambda said: said.split(","),
        metavar="NAME[,NAME]",
        help="exact rewrites that make the model faster: all, none (it is computed as it is written), or some by "
        "their names (default: %(default)s)",
    )
    add("--stride", type=count, default=1, metavar="N", help="every N-th frame of a video (default: %(default)s)")
    add("--max-frames", type=count, metavar="N", help="end a video or camera after N frames that were taken")
    add("--no-tracks", action="store_true", help="do not follow people from frame to frame")
    add(
        "--on-error",
        default=ON_ERROR[0],
        choices=ON_ERROR,
        help="a picture that cannot be read: report: its row has the reason, exit status 1 at the end; skip: the same "
        "with exit status 0; raise: stop there (default: %(default)s)",
    )
    add("--shard", type=_shard, metavar="I/N", help="do the I-th of N parts; the last one to finish merges all")
    add("--resume", action="store_true", help="go on in --out: what has a row there is not done again")
    _add_overwrite(parser)
    add(
        _MERGE, metavar="DIR", help="no predicting: put the rows of all shards in DIR together, and make tables of them"
    )
    add_hosts_from(parser, "detrex: the model was trained on live hosts (default: %(default)s)", PROVIDERS[0])
    return parser


def parse(words: Sequence[str]) -> argparse.Namespace:
    """The options of a line; ``--merge DIR`` makes it a line of another kind, ``action`` ``merge``."""
    if any(word == _MERGE or word.startswith(f"{_MERGE}=") for word in words):
        return _merge_parser().read(words)
    return build_parser().read(words)


def _merge_parser() -> Parser:
    parser = Parser(
        command="predict",
        words="--merge DIR [flags]",
        description="Put the rows of all shards together.",
        examples=("--merge runs/predict --format csv",),
    )
    parser.add_argument(_MERGE, type=expanded, metavar="DIR", required=True, help="folder of the results")
    _add_format(parser, ())
    _add_overwrite(parser)
    parser.add_argument(
        "--on-error",
        default=ON_ERROR[0],
        choices=ON_ERROR[:2],
        help="of pictures that could not be read: report: exit status 1, or 2 where none could; skip: 0 in place of 1 "
        "(default: %(default)s)",
    )
    parser.set_defaults(action="merge")
    return parser


def _add_format(parser: Parser, default: Sequence[str]) -> None:
    said = f" (default: {','.join(default)})" if default else ""
    parser.add_argument(
        "--format",
        type=_formats,
        default=tuple(default),
        metavar="NAME[,NAME...]",
        help=f"what is written beside predictions.json: {', '.join(_all_formats())}{said}",
    )


def _add_overwrite(parser: Parser) -> None:
    add_overwrite(parser, "replace tables that are there")


def _all_formats() -> list[str]:
    return [ROWS, PICTURES, VIDEO, *table_formats()]


def _formats(text: str) -> tuple[str, ...]:
    """Names with commas between them."""
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in _all_formats():
            hint: Any = did_you_mean(name, _all_formats())
            raise argparse.ArgumentTypeError(f"expects names of {', '.join(_all_formats())}. Got {name!r}.{hint}")
    return tuple(names)


def _shard(text: str) -> tuple[int, int]:
    """``2/8``: the second of eight."""
    number, _, of = text.partition("/")
    if not (
        number.isascii() and of.isascii() and number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)
    ):
        raise argparse.ArgumentTypeError(f"expects I/N, the I-th of N parts, 1/4 to 4/4 for example. Got {text}")
    return int(number), int(of)
