"""The command line of ``dsct info``."""

from __future__ import annotations

from dsct_detrex.cli.parser import Parser
from dsct_detrex.paths import expanded


def build_parser() -> Parser:
    parser = Parser(
        command="info",
        words="[FILE ...] [--json]",
        description="Say what is in a release or a checkpoint of anybody: model, labels, thresholds, what trained it. "
        "Without a file, say what this machine has: versions, devices, the operator that will be used, detrex.",
        examples=("", "runs/demo/dsct/best.safetensors", "last.pth dino_r50.pth --json"),
        notes=(
            "No file is executed: a checkpoint that asks for code is refused.",
            "Exit status: 0 done; 1 some of several files cannot be read; 2 none can.",
        ),
    )
    parser.add_argument("files", nargs="*", type=expanded, metavar="FILE", help="release or checkpoint")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser
