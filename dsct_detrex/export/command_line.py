"""The work of ``dsct export``: a checkpoint in, a file and how far it is from the checkpoint out."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from dsct_detrex.cli.export import SUFFIXES
from dsct_detrex.cli.invocation import spoken
from dsct_detrex.dsct import DSCT
from dsct_detrex.errors import UserError
from dsct_detrex.export.checking import BATCHES, Run, agreement, run_onnx, run_program
from dsct_detrex.export.onnx_file import check_installed, write_onnx
from dsct_detrex.export.program import program_of, write_program
from dsct_detrex.files import replacing
from dsct_detrex.prediction.checkpoints import load
from dsct_detrex.prediction.export_header import ExportHeader

TOLERANCE: Final = 1e-3
"""Boxes, scores and probabilities differ by less than 1e-5 where all is well; by more than this, something is not."""

_RUN: Final[dict[str, Callable[[str], Run]]] = {"onnx": run_onnx, "torch": run_program}


def export(arguments: argparse.Namespace, words: Sequence[str]) -> int:
    """Export one checkpoint; returns the exit status.

    Raises:
        UserError: it cannot be exported, says why; or the file is there.
    """
    if arguments.format == "onnx":
        check_installed()
    loaded = load(arguments.checkpoint)
    model = loaded.model
    if not isinstance(model, DSCT):
        raise UserError(f"export: {arguments.checkpoint} is exported already; give the release it was made of.")
    path = _free_place(arguments, Path(loaded.file))
    header = replace(loaded.header, threshold=arguments.threshold, nms=arguments.nms)
    print(f"weights: {loaded.origin}")
    with replacing(path) as draft:
        _write(model, draft, arguments.format, header)
        _check(model, draft, path, arguments.format)
    print(f"{path}, {path.stat().st_size / 2**20:.1f} MiB")
    if arguments.format == "onnx":
        print(f"try it: {spoken('predict', [str(path), 'photo.jpg'])}")
    return 0


def _write(model: DSCT, path: Path, kind: str, header: ExportHeader) -> None:
    write_onnx(model, path, header) if kind == "onnx" else write_program(program_of(model), path, header)


def _check(model: DSCT, draft: Path, path: Path, kind: str) -> None:
    """Say how far the file is from the model; raise where it is something else."""
    sizes = ", ".join(f"{count} of {width} x {height}" for count, height, width in BATCHES)
    found = agreement(model, _RUN[kind](str(draft)))
    print(f"largest difference to PyTorch ({sizes}): {found.sentence()}")
    if not found.largest < TOLERANCE:
        wrong = draft.rename(path.with_name(f"{path.name}.wrong"))
        raise UserError(
            f"export: the file does not compute what the checkpoint computes, so it is kept as {wrong} for whoever "
            "looks into it and must not be used. Please report it with the line above."
        )


def _free_place(arguments: argparse.Namespace, checkpoint: Path) -> Path:
    """Where the file goes: ``--out``, or beside the checkpoint under its name."""
    suffix = SUFFIXES[arguments.format]
    path = Path(arguments.out) if arguments.out else checkpoint.with_suffix(suffix)
    if path.suffix != suffix:
        raise UserError(f"export: --format {arguments.format} writes a file that ends in {suffix}. Got --out {path}.")
    if path.exists() and not arguments.overwrite:
        raise UserError(f"export: {path} is there already; name another with --out, or replace it with --overwrite.")
    return path
