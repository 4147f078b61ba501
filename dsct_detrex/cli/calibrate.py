"""The command line of ``dsct calibrate``: a release in, the options of its evaluation and of what is chosen out."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass

from dsct_detrex.cli.evaluate import RELEASE
from dsct_detrex.cli.flags import add_config, add_data, add_device, add_hosts_from, add_overwrite
from dsct_detrex.cli.parser import Parser
from dsct_detrex.cli.train import OVERRIDES_NOTES, Arguments, separate
from dsct_detrex.errors import UserError
from dsct_detrex.names import SPLITS
from dsct_detrex.paths import expanded

SPLIT_KEY = "dataloader.test.dataset.split"


@dataclass(frozen=True)
class Options:
    """What the user asked for.

    Attributes:
        release: the file, or the folder of a run.
        evaluation: what ``dsct eval`` would be told; its config is ``release`` where none is named.
        wanted: precision in (0, 1]; None: the best F1.
        split_said: whether the user named the split, which else is val.
        out: the new release; None: beside the old one, or in its place with ``overwrite``.
        overwrite: replace what is there.
    """

    release: str
    evaluation: Arguments
    wanted: float | None = None
    split_said: bool = False
    out: str | None = None
    overwrite: bool = False


def parse(words: Sequence[str]) -> Options:
    """Read a command line, without the name of the program.

    Raises:
        UserError: an unknown flag or a word too many, nothing to calibrate, or an ``--out`` that is none.
    """
    parser = build_parser()
    flags, overrides, others = separate(parser, words)
    known = parser.read(flags)
    if len(others) != 1:
        got = ", ".join(others) or "none"
        raise UserError(f"calibrate expects one release. Got {got}. Run with --help for all flags.")
    release = expanded(others[0])
    if known.out is not None and not known.out.endswith(RELEASE):
        raise UserError(f"calibrate: --out expects the name of a release, which ends in {RELEASE}. Got {known.out}.")
    evaluation = Arguments(
        config=known.config or release,
        weights=release,
        overrides=tuple(overrides),
        data=known.data,
        data_root=known.data_root,
        split=known.split,
        device=known.device,
        hosts_from=known.hosts_from,
        eval_only=True,
    )
    said = known.split is not None or any(word.lstrip("+").startswith(f"{SPLIT_KEY}=") for word in overrides)
    return Options(release, evaluation, known.wanted, said, known.out, known.overwrite)


def build_parser() -> Parser:
    parser = Parser(
        command="calibrate",
        words="RELEASE [flags] [key=value ...]",
        description="Choose for each emotion of a release the probability from which it is shown, and a temperature at "
        "which probabilities mean what they say, on a validation split; write both into a new release.",
        examples=(
            "runs/demo/dsct/best.safetensors",
            "best.safetensors --for precision=0.8 --out careful.safetensors",
        ),
        notes=(
            "The original stays unless --overwrite is given without --out. Order and first place of emotions do not "
            "change, so no mAP and no accuracy does.",
            *OVERRIDES_NOTES,
        ),
    )
    add = parser.add_argument
    add(
        "--for",
        dest="wanted",
        type=purpose,
        default=None,
        metavar="WHAT",
        help="how thresholds are chosen: f1, the best F1 of each emotion (default), or precision=X, the lowest "
        "threshold from which a share X of those of whom it is said show it",
    )
    add("--split", choices=SPLITS, help=f"sets {SPLIT_KEY} (default: val); test must be said, and spoils it")
    add_config(parser)
    add_data(parser)
    add("--out", type=expanded, metavar="FILE", help=f"release to write (default: NAME_calibrated{RELEASE} beside it)")
    add_overwrite(parser, "replace --out where it is there, or without --out the release itself")
    add_device(parser, help="auto, cpu, cuda, cuda:N or mps; sets train.device")
    add_hosts_from(parser, "detrex: the model was trained on live hosts")
    return parser


def purpose(text: str) -> float | None:
    """``f1`` is None, ``precision=0.8`` the number."""
    if text == "f1":
        return None
    found = re.fullmatch(r"precision=(\d*\.?\d+)", text)
    if not found or not 0 < float(found[1]) <= 1:
        raise argparse.ArgumentTypeError(f"expects f1, or precision=X with X above 0 and at most 1. Got {text}")
    return float(found[1])
