"""Flags that several commands have: one name and one meaning each."""

from __future__ import annotations

import argparse

from dsct_detrex.cli.values import device, share
from dsct_detrex.names import PROVIDERS, data_sets
from dsct_detrex.paths import expanded

CHECKPOINT = "a run's folder, or its best.safetensors, last.safetensors or last.pth"
CHECKPOINT_OR_EXPORT = (
    "a run's folder, its best.safetensors, last.safetensors or last.pth, or a best.onnx of dsct export"
)
"""What commands say of the checkpoint that they take."""

Container = argparse._ActionsContainer  # a parser or a group of its flags


def add_config(parser: Container) -> None:
    """``--config``, with detectron2's name for it as another."""
    parser.add_argument(
        "--config",
        "--config-file",
        "-c",
        type=expanded,
        metavar="FILE",
        help="LazyConfig file (.py), saved config.yaml, or the name of a project",
    )


def add_data(parser: Container, default: str | None = None) -> None:
    """``--data`` and ``--data-root``."""
    said = f" (default: {default})" if default else ""
    parser.add_argument("--data", default=default, metavar="NAME", help=f"data set: {', '.join(data_sets())}{said}")
    add_data_root(parser)


def add_data_root(parser: Container, required: bool = False) -> None:
    """``--data-root``; ``--root`` is the same."""
    parser.add_argument(
        "--data-root",
        "--root",
        dest="data_root",
        type=expanded,
        required=required,
        metavar="DIR",
        help="folder where the data set lies",
    )


def add_device(parser: Container, default: str | None = None, help: str = "auto, cpu, cuda, cuda:N or mps") -> None:
    said = f" (default: {default})" if default else ""
    parser.add_argument("--device", type=device, default=default, metavar="NAME", help=help + said)


def add_hosts_from(parser: Container, help: str, default: str | None = None) -> None:
    parser.add_argument("--hosts-from", choices=PROVIDERS, default=default, help=help)


def add_kept_people(parser: Container, threshold: str = "least confidence of a person, 0 to 1") -> None:
    """``--threshold`` and ``--nms``: whom of those that a model finds a command keeps; ``threshold`` is its help."""
    add, said = parser.add_argument, " (default: %(default)s)"
    add("--threshold", type=share, default=0.3, metavar="X", help=threshold + said)
    add("--nms", type=share, default=0.5, metavar="X", help="largest overlap of two people, IoU" + said)


def add_overwrite(parser: Container, help: str) -> None:
    """``--overwrite``; ``--force`` is the same."""
    parser.add_argument("--overwrite", "--force", dest="overwrite", action="store_true", help=help)
