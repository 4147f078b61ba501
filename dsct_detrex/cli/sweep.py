"""The command line of ``dsct sweep``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from dsct_detrex.cli.flags import add_data
from dsct_detrex.cli.parser import Parser
from dsct_detrex.cli.values import count
from dsct_detrex.names import SYNTHETIC, tables
from dsct_detrex.paths import user_path


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Read a command line, without the name of the program; flags and overrides in any order.

    Raises:
        UserError: an unknown flag, or a number that is too small.
    """
    options = build_parser().read(words)
    options.overrides += [word for word in options.only if "=" in word]
    options.only = [word for word in options.only if "=" not in word]
    if options.slurm is not None:
        options.overrides += [word for word in options.slurm if "." in word.split("=")[0]]
        pairs = [word.split("=", 1) for word in options.slurm if "." not in word.split("=")[0]]
        options.slurm = {key: int(value) if value.isdigit() else value for key, value in pairs}
    return options


def build_parser() -> Parser:
    parser = Parser(
        command="sweep",
        words="--table N | --config FILE [flags] [key=value ...]",
        description="Train every cell of a table of the paper and print the measured column beside the paper's.",
        examples=(
            "--table 10 --dry-run",
            "--table 10 --data caer_s --data-root DIR",
            "--table 10 --only dino detr/seed1 --seeds 2 train.max_iter=100",
        ),
        notes=(
            "key=value changes a key of every cell's config. The same command goes on where it was interrupted: "
            "finished runs are kept, others continued or tried again; a run whose command changed is trained again.",
            "Exit status: 0 every run asked for is finished; 1 some failed, which the results say; 2 a mistake to "
            "mend; 130 or 143 interrupted, and the same command goes on.",
        ),
    )
    add = parser.add_argument
    add("--table", metavar="N", help=f"of the paper: {', '.join(tables())}")
    add("--config", "--config-file", "-c", type=user_path, metavar="FILE", help="any other sweep")
    add_data(parser, SYNTHETIC)
    add(
        "--scale",
        metavar="NAME",
        help="demo, paper, or project: as the config file has it (default: that of the sweep, else demo on synthetic "
        "data without a GPU, else paper)",
    )
    add(
        "--seeds",
        type=count,
        default=3,
        metavar="N",
        help="runs of each cell, with seeds 0 to N - 1 (default: %(default)s)",
    )
    add("--jobs", type=count, default=2, metavar="N", help="processes at the same time (default: %(default)s)")
    add(
        "--only",
        nargs="+",
        action="extend",
        default=[],
        metavar="CELL",
        help="train these cells only (dino/seed1: a run)",
    )
    add("--resume", action="store_true", help="go on with what is there; this is what always happens")
    add("--restart", action="store_true", help="begin all chosen cells anew; older folders are moved aside")
    add("--keep-checkpoints", action="store_true", help="leave last.pth in finished runs, to train them further")
    add("--dry-run", action="store_true", help="print the table with the paper's numbers and the commands, and stop")
    add(
        "--out",
        "--output-dir",
        dest="output_dir",
        type=user_path,
        metavar="DIR",
        help="where results go (default: runs/sweeps/NAME)",
    )
    add("--slurm", nargs="*", metavar="KEY=VALUE", help="run as jobs of a SLURM cluster, with parameters for submitit")
    add("overrides", nargs="*", metavar="key=value", help="overrides for every cell")
    return parser
