"""The work of ``dsct explain``: checkpoints in; a table, ``explanation.json``, ``.md`` and ``.png`` out."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from rich.progress import track

from dsct_detrex.cli.invocation import recorded
from dsct_detrex.engine.host_memory import keep_freed_memory
from dsct_detrex.errors import UserError
from dsct_detrex.evaluation.files import keep_older
from dsct_detrex.explain import results, screen
from dsct_detrex.explain.changes import CAUSES
from dsct_detrex.explain.checkpoint import open_checkpoint, short_names
from dsct_detrex.explain.measuring import measure
from dsct_detrex.explain.page import page
from dsct_detrex.files import write_together
from dsct_detrex.integrations.detrex import locate
from dsct_detrex.prediction.devices import device_named
from dsct_detrex.visualization.plots import ContextMap, explanation_sheet

STEM = "explanation"


def explain(arguments: argparse.Namespace, words: Sequence[str]) -> int:
    """Measure, show and write; returns the exit status.

    Raises:
        UserError: a checkpoint cannot be measured, or ``--out`` is no folder to write into.
    """
    if arguments.hosts_from == "detrex":
        locate()
    device = device_named(arguments.device, "--device")
    if device.type == "cpu":
        keep_freed_memory()
    out = Path(arguments.out)
    if out.exists() and not out.is_dir():
        raise UserError(f"explain: --out expects a folder. Got {out}, which is a file.")
    names = short_names(arguments.checkpoints)
    measured = [
        explained(path, arguments.scenes, device, name, progress=sys.stderr.isatty())
        for path, name in zip(arguments.checkpoints, names, strict=True)
    ]
    content = results.content(recorded("explain", words), [row for row, _ in measured])
    print("\n".join(screen.lines(content)))
    write(content, next((example for _, example in measured if example), None), out)
    print(f"\nwritten: {out / STEM}.json, .md and .png")
    return 0


def explained(
    checkpoint: str, scenes: int, device: torch.device, name: str, progress: bool = False
) -> tuple[dict[str, Any], ContextMap | None]:
    """Measure one checkpoint; returns its row (``results.row_of``) and a person to draw.

    Args:
        checkpoint: a file, or the folder of a run.
        scenes: how many, at least 1.
        device: where the model runs.
        name: how tables call it.
        progress: show it on stderr.

    Raises:
        UserError: it cannot be measured.
    """
    subject = open_checkpoint(checkpoint, scenes, device)
    indices = track(range(scenes), f"reading ({name})", disable=not progress)
    measured = measure(subject.reader, subject.scenes, subject.format, indices)
    return results.row_of(name, subject, measured), measured.example


def write(content: dict[str, Any], example: ContextMap | None, out: Path) -> None:
    """Write the three files; what an earlier run left is kept under a number."""
    picture, alt = explanation_sheet(content, CAUSES, example, file_format="png"), "Shares and changes, as tabled below"
    pieces = {
        "json": json.dumps(content, indent=1).encode(),
        "md": page(content, f"{STEM}.png", alt).encode(),
        "png": picture,
    }
    places = {out / f"{STEM}.{suffix}": piece for suffix, piece in pieces.items()}
    for place in places:
        keep_older(place)
    write_together(places)
