"""The command line of ``dsct data``: its subcommands and their flags."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from dsct_detrex.cli.flags import add_data_root, add_overwrite
from dsct_detrex.cli.parser import Parser
from dsct_detrex.cli.values import count, share, whole
from dsct_detrex.names import SPLITS, formats
from dsct_detrex.paths import expanded, user_path

ANNOTATIONS = ("mat", "txt", "coco")
WITHOUT_BOXES = ("caer_s",)
CHOICES = ("largest", "confident", "single", "all")
"""Which faces of a picture ``data boxes`` writes; ``dsct_detrex.faces.choice`` has their meaning."""
ON_ERROR = ("report", "skip", "raise")


def build_parser() -> Parser:
    parser = Parser(
        command="data",
        words="check | show | generate | boxes [flags]",
        description="Look after data sets on this disk.",
        examples=(
            "check --root DIR",
            "show --root DIR --split train --out gallery.png",
            "generate --format caer_s --out DIR --train 100 --val 20 --test 40",
            "boxes --format caer_s --root DIR",
        ),
        notes=(
            "Exit status: 0 fine; 1 the data needs attention (some pictures or splits cannot be used); 2 the command "
            "cannot be carried out.",
        ),
    )
    commands = parser.add_subparsers(required=True, dest="action", metavar="check | show | generate | boxes")
    _add_check(commands)
    _add_show(commands)
    _add_generate(commands)
    _add_boxes(commands)
    return parser


def _add_check(commands: argparse._SubParsersAction[Parser]) -> None:
    what = "examine a data set: counts, labels, bad boxes, broken pictures, leaks"
    check = commands.add_parser(
        "check",
        command="data check",
        help=what,
        words="--root DIR [flags]",
        description=f"{what[0].upper()}{what[1:]}.",
        examples=("--root DIR --near-duplicates", '--root DIR --annotations "mine_{split}.json" --json found.json'),
    )
    _add_reader(check)
    check.add_argument("--splits", nargs="+", choices=SPLITS, help="these, which must be there (default: all)")
    check.add_argument("--no-images", action="store_true", help="do not open the pictures")
    check.add_argument("--near-duplicates", action="store_true", help="look for test pictures that are also in train")
    check.add_argument(
        "--threads", type=count, default=8, metavar="N", help="that read pictures (default: %(default)s)"
    )
    check.add_argument("--json", type=user_path, metavar="FILE", help="write everything found as JSON as well")
    add_overwrite(check, "replace FILE where it is there")


def _add_show(commands: argparse._SubParsersAction[Parser]) -> None:
    show = commands.add_parser(
        "show",
        command="data show",
        help="draw the first pictures with their people",
        words="--root DIR --out FILE [flags]",
        description="Draw the first pictures with their people.",
        examples=("--root DIR --out gallery.png --split test --images 24",),
    )
    _add_reader(show)
    show.add_argument("--split", choices=SPLITS, default="train", help="of the pictures (default: %(default)s)")
    show.add_argument("--images", type=count, default=12, metavar="N", help="how many (default: %(default)s)")
    show.add_argument("--out", type=user_path, required=True, metavar="FILE", help=".png or .jpg to write")
    add_overwrite(show, "replace FILE where it is there")


def _add_generate(commands: argparse._SubParsersAction[Parser]) -> None:
    generate = commands.add_parser(
        "generate",
        command="data generate",
        help="write a synthetic stand-in in a data set's own layout",
        words="--format NAME --out DIR [flags]",
        description="Write a synthetic stand-in in a data set's own layout.",
        examples=("--format caer_s --out small --train 60 --val 20 --test 20",),
    )
    _add_format(generate, required=True)
    generate.add_argument("--out", type=expanded, required=True, metavar="DIR", help="folder to write into")
    for split, size in zip(SPLITS, (100, 20, 40)):
        generate.add_argument(
            f"--{split}", type=whole, default=size, metavar="N", help=f"images of {split} (default: %(default)s)"
        )
    generate.add_argument("--size", type=count, nargs=2, metavar=("W", "H"), help="of the pictures, pixels")
    generate.add_argument("--seed", type=int, default=0, metavar="N", help="of the dice (default: %(default)s)")
    generate.add_argument("--annotations", choices=ANNOTATIONS, help="only this kind; both of the format's by default")
    add_overwrite(generate, "write into a folder with content: same names are replaced, all other files stay")


def _add_boxes(commands: argparse._SubParsersAction[Parser]) -> None:
    boxes = commands.add_parser(
        "boxes",
        command="data boxes",
        help="find the faces of pictures that come without boxes",
        words="--format caer_s --root DIR [flags]",
        description="Find the faces in the pictures of CAER-S, and write the box file that its download lacks.",
        examples=("--format caer_s --root DIR", "--format caer_s --root DIR --model yunet.onnx"),
        notes=(
            "Exit status: 0 done; 1 done, but pictures could not be read; 2 the command cannot be carried out; 130 "
            "or 143 interrupted, and the same command goes on.",
        ),
    )
    _add_format(boxes, required=True, known=WITHOUT_BOXES)
    add_data_root(boxes, required=True)
    add = boxes.add_argument
    add("--out", type=expanded, metavar="DIR", help="folder to write into (default: annotations/ in the root)")
    add("--model", type=expanded, metavar="FILE", help="a YuNet of OpenCV (.onnx), instead of MTCNN")
    add("--min-score", type=share, metavar="X", help="least confidence (default: 0.9 with MTCNN, 0.85 with YuNet)")
    add("--min-size", type=count, default=30, metavar="N", help="least side of a face, pixels (default: %(default)s)")
    add(
        "--faces",
        choices=CHOICES,
        default=CHOICES[0],
        help="which of a picture are written; single: of pictures with one face only (default: %(default)s)",
    )
    add("--val", type=share, metavar="X", help="share of train for validation (default: 0.1, or the folder val/)")
    add("--jobs", type=count, metavar="N", help="pictures at the same time (default: one a core)")
    add(
        "--on-error",
        choices=ON_ERROR,
        default=ON_ERROR[0],
        help="a picture that cannot be read: report: exit status 1 at the end; skip: exit status 0; raise: stop there "
        "(default: %(default)s)",
    )
    add_overwrite(boxes, "replace box files that are there")


def _add_reader(command: Parser) -> None:
    _add_format(command, default="auto")
    add_data_root(command, required=True)
    command.add_argument(
        "--boxes", choices=("auto", "body", "head"), help="which boxes, where a data set has both kinds"
    )
    command.add_argument(
        "--annotations", type=expanded, metavar="FILE", help="the annotation file; {split} is filled in"
    )
    command.add_argument("--box-format", choices=("xywh", "xyxy"), help="of that file, where it is not the usual one")


def _add_format(command: Parser, default: str | None = None, required: bool = False, known: Sequence[str] = ()) -> None:
    """``--format``; ``--data``, the name it has elsewhere, is the same."""
    known = known or ([default] if default else []) + formats()
    said = " (default: %(default)s)" if default else ""
    command.add_argument(
        "--format",
        "--data",
        dest="format",
        choices=known,
        default=default,
        required=required,
        metavar="NAME",
        help=f"data set: {', '.join(known)}{said}",
    )
