"""The command line of ``dsct eval``: weights in, the options of an evaluation out."""

from __future__ import annotations

from collections.abc import Sequence

from dsct_detrex.cli.flags import add_config, add_data
from dsct_detrex.cli.parser import Parser
from dsct_detrex.cli.train import OVERRIDES_NOTES, Arguments, add_running, separate
from dsct_detrex.errors import UserError
from dsct_detrex.names import SPLITS
from dsct_detrex.paths import expanded, user_path

RELEASE = ".safetensors"


def parse(words: Sequence[str]) -> Arguments:
    """Read a command line, without the name of the program.

    Raises:
        UserError: an unknown flag or a word too many, no weights, or no config for weights that have none inside.
    """
    parser = build_parser()
    flags, overrides, others = separate(parser, words)
    known = vars(parser.read(flags))
    weights = [expanded(word) for word in others] + ([known["weights"]] if known["weights"] else [])
    if len(weights) != 1:
        got = ", ".join(weights) or "none"
        raise UserError(f"eval expects one file of weights. Got {got}. Run with --help for all flags.")
    known["weights"] = weights[0]
    if known["config"] is None:
        if not weights[0].endswith(RELEASE) and not user_path(weights[0]).is_file():
            folder = user_path(weights[0]).is_dir()
            what = "is a folder: name a release in it" if folder else "is not there: check the path"
            raise UserError(f"eval expects a file of weights, e.g. best.safetensors of a run. {weights[0]} {what}.")
        if not weights[0].endswith(RELEASE):
            raise UserError(
                f"eval: {weights[0]} is no release (*{RELEASE}), which has its config inside: name the config of these "
                "weights, --config FILE, e.g. the config.yaml of their run."
            )
        known["config"] = weights[0]
    return Arguments(overrides=tuple(overrides), eval_only=True, **known)


def build_parser() -> Parser:
    parser = Parser(
        command="eval",
        words="WEIGHTS [--config FILE] [flags] [key=value ...]",
        description="Measure trained weights on a split of a data set. A release (best.safetensors) has its config "
        "inside; for other weights, name theirs.",
        examples=(
            "runs/dino_dsct/best.safetensors --split test",
            "best.safetensors --data-root DIR --split test",
            "runs/dino_dsct/last.pth --config runs/dino_dsct/config.yaml",
        ),
        notes=OVERRIDES_NOTES,
    )
    add = parser.add_argument
    add("--weights", type=expanded, metavar="FILE", help="the same as WEIGHTS")
    add_config(parser)
    add_data(parser)
    add("--split", choices=SPLITS, help="sets dataloader.test.dataset.split (default: as the config has it)")
    add("--out", type=expanded, metavar="DIR", help="where results go (default: beside a release, else output_dir)")
    add_running(parser)
    return parser
