"""The work of ``dsct info --fusion``: checkpoints in; a table, ``fusion.json`` and ``fusion.png`` out."""

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
from dsct_detrex.data.dataset import EmotionDataset, describe
from dsct_detrex.data.synthetic.dataset import FORMATS
from dsct_detrex.diagnosis import screen
from dsct_detrex.diagnosis.measures import MEASURES
from dsct_detrex.diagnosis.measuring import Diagnosis, diagnose, why_not
from dsct_detrex.engine.host_memory import keep_freed_memory
from dsct_detrex.errors import UserError
from dsct_detrex.evaluation.files import keep_older
from dsct_detrex.explain.checkpoint import format_of, opened, scenes_like, short_names
from dsct_detrex.explain.groups import GROUPS
from dsct_detrex.files import write_together
from dsct_detrex.integrations.detrex import locate
from dsct_detrex.names import SYNTHETIC
from dsct_detrex.prediction.data_split import split_named
from dsct_detrex.prediction.devices import device_named
from dsct_detrex.rewrites import rewrite
from dsct_detrex.visualization.plots import fusion_sheet

STEM = "fusion"
SCHEMA = 1
"""A change that breaks readers counts it up."""


def info_fusion(options: argparse.Namespace, words: Sequence[str]) -> int:
    """Measure, show and write; returns the exit status.

    Raises:
        UserError: a checkpoint or a data set cannot be read, or ``--out`` is no folder to write into.
    """
    if options.hosts_from == "detrex":
        locate()
    device = device_named(options.device, "--device")
    if device.type == "cpu":
        keep_freed_memory()
    out = Path(options.out)
    if out.exists() and not out.is_dir():
        raise UserError(f"info: --out expects a folder. Got {out}, which is a file.")
    chosen = None if options.data in (None, SYNTHETIC) else options.data
    rows = [
        diagnosed(path, name, options.images, device, chosen, options.data_root, options.split or "test", show=True)
        for path, name in zip(options.files, short_names(options.files), strict=True)
    ]
    content = content_of(recorded("info", words), rows)
    print(json.dumps(content, indent=1) if options.json else "\n".join(screen.lines(content)))
    written = write(content, out)
    if not options.json:
        print(f"\nwritten: {' and '.join(map(str, written))}")
    return 0


def content_of(command: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The whole file: ``schema``, ``command``, ``measures`` (key -> in words), ``groups`` (order of the numbers of a
    share), ``checkpoints`` (see ``diagnosed``)."""
    return {
        "schema": SCHEMA,
        "command": command,
        "measures": MEASURES,
        "groups": list(GROUPS),
        "checkpoints": list(rows),
    }


def diagnosed(
    checkpoint: str,
    name: str,
    images: int,
    device: torch.device,
    data: str | None = None,
    root: str | None = None,
    split: str = "test",
    show: bool = False,
) -> dict[str, Any]:
    """One checkpoint.

    Args:
        checkpoint: a file, or the folder of a run.
        name: how tables call it.
        images: how many to read at most.
        device: where the model runs.
        data, root, split: a data set; None: unseen drawn scenes like those of the training. Where these do not show
            the model's emotions, their people are seen all the same and no loss is measured.
        show: progress on stderr, where that is a terminal.

    Returns:
        ``name``, ``weights`` (the file, and which of its weights), ``note`` (why nothing was measured; else empty),
        ``pictures`` (what was read), and the attributes of ``Diagnosis``.

    Raises:
        UserError: it cannot be loaded, or is no DSCT model.
    """
    loaded, model = opened(checkpoint, "info --fusion")
    told = {"name": name, "weights": loaded.origin}
    note = why_not(model)
    if note:
        return told | {"note": note, "pictures": ""} | vars(Diagnosis())
    dataset: EmotionDataset = (
        scenes_like(loaded.config, format_of(loaded.emotions) or FORMATS[0], images)
        if data is None
        else split_named(data, root, split, "info --fusion")
    )
    count = min(images, len(dataset))
    model.eval().to(device)
    rewrite(model)
    indices = track(range(count), f"reading ({name})", disable=not (show and sys.stderr.isatty()))
    found = diagnose(model, loaded.emotions, loaded.transforms, dataset, indices)
    read = describe(dataset) if count == len(dataset) else f"the first {count:,} of {describe(dataset)}"
    return told | {"note": "", "pictures": read} | vars(found)


def write(content: dict[str, Any], out: Path) -> list[Path]:
    """Write numbers and picture, which there is where something was measured; files of an earlier run are kept."""
    pieces = {f"{STEM}.json": json.dumps(content, indent=1).encode()}
    if any(checkpoint["layers"] for checkpoint in content["checkpoints"]):
        pieces[f"{STEM}.png"] = fusion_sheet(content, file_format="png")
    places = {out / name: piece for name, piece in pieces.items()}
    for place in places:
        keep_older(place)
    write_together(places)
    return list(places)
