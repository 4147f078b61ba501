"""The command line of ``dsct explain``."""

from __future__ import annotations

from dsct_detrex.cli.flags import CHECKPOINT, add_device, add_hosts_from
from dsct_detrex.cli.parser import Parser
from dsct_detrex.cli.values import count
from dsct_detrex.names import PROVIDERS
from dsct_detrex.paths import expanded


def build_parser() -> Parser:
    parser = Parser(
        command="explain",
        words="CHECKPOINT ... [flags]",
        description="Measure on drawn scenes, whose causes are known, whether a model looks at what tells the emotion: "
        "where its context weight lies, and what changes when a cause is painted out. Writes DIR/explanation.json, .md "
        "and .png.",
        examples=("runs/demo/dsct", "runs/demo/dsct runs/demo/baseline --scenes 500"),
    )
    add = parser.add_argument
    add(
        "checkpoints",
        type=expanded,
        nargs="+",
        metavar="checkpoint",
        help=f"{CHECKPOINT}; several are compared",
    )
    add("--scenes", type=count, default=200, metavar="N", help="unseen scenes to read (default: %(default)s)")
    add("--out", type=expanded, default="runs/explain", metavar="DIR", help="where results go (default: %(default)s)")
    add_device(parser, "auto")
    add_hosts_from(parser, "detrex: the models were trained on live hosts (default: %(default)s)", PROVIDERS[0])
    return parser
