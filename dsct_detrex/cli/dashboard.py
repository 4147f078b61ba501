"""The command line of ``dsct dashboard``."""

from __future__ import annotations

from dsct_detrex.cli.parser import Parser
from dsct_detrex.paths import user_path

HOST = "host.name"
"""The key of the config that names a run's host."""
CELL = "cell"
"""Instead of a key: the cell of the sweep, which ``dsct sweep`` makes the W&B job type of its runs."""


def build_parser() -> Parser:
    parser = Parser(
        command="dashboard",
        words="--entity NAME [flags]",
        description="Write the W&B dashboard of a project's runs as JSON, and with --push save it there as a new view.",
        examples=("--entity me", "--entity me --sweep table_10 --push", "--entity me --sweep table_6 --group-by cell"),
    )
    add = parser.add_argument
    add("--project", metavar="NAME", help="the W&B project (default: WANDB_PROJECT, or dsct_detrex)")
    add("--entity", metavar="NAME", help="user or team that owns it (default: WANDB_ENTITY)")
    add(
        "--emotions",
        default="caer_s",
        metavar="NAME",
        help="emotions of the runs: a data set's, or a config.yaml or release of a run (default: %(default)s)",
    )
    add("--sweep", metavar="NAME", help="only runs of this sweep (their W&B group), e.g. table_10")
    add(
        "--group-by",
        default=HOST,
        metavar="KEY",
        help=f"what sets lines apart: a key of the config (default: %(default)s), or {CELL} for the rows of a sweep",
    )
    add(
        "--out",
        type=user_path,
        metavar="FILE",
        help="where the JSON goes (default: runs/dashboard/NAME_EMOTIONS.json)",
    )
    add("--push", action="store_true", help="save it in W&B; needs an API key")
    return parser
