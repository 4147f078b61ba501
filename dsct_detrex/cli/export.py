"""The command line of ``dsct export``."""

from __future__ import annotations

from typing import Final

from dsct_detrex.cli.flags import CHECKPOINT, add_overwrite
from dsct_detrex.cli.parser import Parser
from dsct_detrex.cli.values import share
from dsct_detrex.paths import expanded

SUFFIXES: Final = {"onnx": ".onnx", "torch": ".pt2"}
"""Format -> suffix of its files."""


def build_parser() -> Parser:
    parser = Parser(
        command="export",
        words="CHECKPOINT [flags]",
        description="Write a model as one file that runs without this package, and say how far it is from PyTorch.",
        examples=("runs/demo/dsct/best.safetensors", "runs/dino_dsct --format torch --out dino.pt2"),
        notes=(
            "onnx: pure operators for any batch and size, with label set, thresholds and transforms in its metadata; "
            "onnxruntime runs it, and so does `dsct predict`. torch: a program of torch.export, for torch.export.load.",
        ),
    )
    add = parser.add_argument
    add("checkpoint", type=expanded, help=CHECKPOINT)
    add("--format", choices=tuple(SUFFIXES), default="onnx", help="of the file (default: %(default)s)")
    add("--out", type=expanded, metavar="FILE", help="file to write (default: beside the checkpoint, under its name)")
    add(
        "--threshold",
        type=share,
        default=0.3,
        metavar="X",
        help="least confidence of a person that the file recommends, 0 to 1 (default: %(default)s)",
    )
    add(
        "--nms",
        type=share,
        default=0.5,
        metavar="X",
        help="largest overlap of two people that it recommends, IoU (default: %(default)s)",
    )
    add_overwrite(parser, "replace the file if it exists")
    return parser
