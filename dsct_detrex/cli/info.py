"""The command line of ``dsct info``: files, or with ``--fusion`` checkpoints that are run."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from dsct_detrex.cli.flags import add_data, add_device, add_hosts_from
from dsct_detrex.cli.parser import Parser
from dsct_detrex.cli.values import count
from dsct_detrex.errors import UserError
from dsct_detrex.names import PROVIDERS, SPLITS, SYNTHETIC, data_sets
from dsct_detrex.paths import expanded

_FUSION = {"images": 100, "out": "runs/fusion", "device": "auto", "hosts_from": PROVIDERS[0]}
"""Defaults of what only ``--fusion`` reads; the others are unset."""
_ONLY_FUSION = ("data", "data_root", "split", *_FUSION)


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Read a command line, without the name of the program.

    Raises:
        UserError: an unknown flag, one that only ``--fusion`` reads without it, or ``--fusion`` without a checkpoint.
    """
    options = build_parser().read(words)
    said = [name for name in _ONLY_FUSION if getattr(options, name) is not None]
    if not options.action:
        if said:
            flag = f"--{said[0].replace('_', '-')}"
            raise UserError(
                f"info: {flag} is read by --fusion, which runs a checkpoint; add --fusion, or leave it out."
            )
        return options
    if not options.files:
        raise UserError("info: --fusion expects one checkpoint or more, e.g. runs/demo/dsct. Got none.")
    if options.data in (None, SYNTHETIC) and (options.data_root or options.split):
        flag = "--data-root" if options.data_root else "--split"
        raise UserError(f"info: {flag} needs --data NAME, one of {', '.join(data_sets())}; drawn scenes have none.")
    for name, default in _FUSION.items():
        if getattr(options, name) is None:
            setattr(options, name, default)
    return options


def build_parser() -> Parser:
    parser = Parser(
        command="info",
        words="[FILE ...] [--json] [--fusion [flags]]",
        description="Say what is in a release or a checkpoint of anybody: model, labels, thresholds, what trained it. "
        "Without a file, say what this machine has: versions, devices, the operator that will be used, detrex. With "
        "--fusion, run checkpoints and say what fusion does in every decoder layer.",
        examples=(
            "",
            "runs/demo/dsct/best.safetensors",
            "last.pth dino_r50.pth --json",
            "--fusion runs/demo/dsct runs/scaled",
            "--fusion runs/dino_dsct --data emotic --root DIR --images 500",
        ),
        notes=(
            "No file is executed: a checkpoint that asks for code is refused.",
            "--fusion reads drawn scenes like those of the training, unseen ones, unless --data names a data set; it "
            "prints a table (JSON with --json) and writes DIR/fusion.json and .png; files of an earlier run are kept.",
            "Exit status: 0 done; 1 some of several files cannot be read; 2 none can.",
        ),
    )
    add = parser.add_argument
    add(
        "files",
        nargs="*",
        type=expanded,
        metavar="FILE",
        help="release or checkpoint; with --fusion also a run's folder",
    )
    add("--json", action="store_true", help="print JSON")
    add(
        "--fusion", dest="action", action="store_const", const="fusion", default="", help="run it: what does fusion do?"
    )
    fusion = parser.add_argument_group("with --fusion")
    add_data(fusion)
    fusion.add_argument("--split", choices=SPLITS, help="of --data (default: test)")
    said = " (default: {})".format
    fusion.add_argument("--images", type=count, metavar="N", help=f"pictures to read{said(_FUSION['images'])}")
    fusion.add_argument("--out", type=expanded, metavar="DIR", help=f"where results go{said(_FUSION['out'])}")
    add_device(fusion, help=f"auto, cpu, cuda, cuda:N or mps{said(_FUSION['device'])}")
    add_hosts_from(fusion, f"detrex: the models were trained on live hosts{said(_FUSION['hosts_from'])}")
    return parser
