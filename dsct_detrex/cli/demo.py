"""The command line of ``dsct demo``."""

from __future__ import annotations

from dsct_detrex.cli.parser import Parser
from dsct_detrex.cli.values import count
from dsct_detrex.paths import expanded


def build_parser() -> Parser:
    parser = Parser(
        command="demo",
        words="[flags] [key=value ...]",
        description="Train DSCT and its baseline without contexts on drawn scenes, evaluate both on unseen ones, and "
        "write DIR/report.html.",
        examples=("", "--out tried --test-images 100 train.max_iter=50"),
    )
    add = parser.add_argument
    add("--out", type=expanded, default="runs/demo", metavar="DIR", help="where results go (default: %(default)s)")
    add(
        "--test-images",
        type=count,
        default=1000,
        metavar="N",
        help="unseen scenes to evaluate on (default: %(default)s)",
    )
    add("overrides", nargs="*", metavar="key=value", help="overrides for both trainings")
    return parser
