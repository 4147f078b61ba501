"""The command line of ``dsct convert``."""

from __future__ import annotations

from dsct_detrex.cli.flags import add_overwrite
from dsct_detrex.cli.parser import Parser
from dsct_detrex.names import hosts
from dsct_detrex.paths import expanded


def build_parser() -> Parser:
    parser = Parser(
        command="convert",
        words="SOURCE OUTPUT [flags]",
        description="Rename a checkpoint: detrex, official DETR, Deformable-DETR or DSCT, torchvision, or one of ours.",
        examples=(
            "dino_r50.pth dino_r50.safetensors --host dino --report",
            "dsct_emotic.pth out.safetensors --config dino_dsct",
        ),
        notes=(f"Hosts: {', '.join(hosts())}.",),
    )
    add = parser.add_argument
    add("source", type=expanded, metavar="SOURCE", help="checkpoint to read (.pth, .pt, .pkl, .safetensors)")
    add("output", type=expanded, metavar="OUTPUT", help="file to write: .safetensors or .pth")
    add("--to", choices=("detrex", "dsct"), help="names of a bare host, or of DSCT (default: as read)")
    model = parser.add_mutually_exclusive_group()
    model.add_argument("--host", metavar="NAME", help="write what fits this host of configs/common/hosts")
    model.add_argument(
        "--config",
        "--config-file",
        "-c",
        type=expanded,
        metavar="FILE",
        help="write what fits the model of this config of a run",
    )
    add("--report", action="store_true", help="print a line for each module of the model as well")
    add("--half", action="store_true", help="store matrices in float16: half the size")
    add_overwrite(parser, "replace the output if it exists")
    return parser
