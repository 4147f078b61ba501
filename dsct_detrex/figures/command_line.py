"""The work of ``dsct visualize``: a checkpoint and pictures in, the paper's figures of them out.

Exit status: 0 done; 1 nothing of what was asked for exists for this model; 2 a mistake to mend; 130 or 143
interrupted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dsct_detrex.baselines import EMONet
from dsct_detrex.cli.invocation import recorded
from dsct_detrex.cli.stopping import exit_status
from dsct_detrex.counting import counted
from dsct_detrex.dsct import DSCT
from dsct_detrex.engine.host_memory import keep_freed_memory
from dsct_detrex.errors import UserError
from dsct_detrex.figures.contracts import Absent, Kind, Material
from dsct_detrex.figures.discovery import chosen_kinds
from dsct_detrex.figures.looking import Looking
from dsct_detrex.figures.samples import find_samples
from dsct_detrex.figures.writing import Folder
from dsct_detrex.integrations.detrex import locate
from dsct_detrex.paths import user_path
from dsct_detrex.prediction import Predictor
from dsct_detrex.prediction.checkpoints import spoken_kind
from dsct_detrex.prediction.devices import device_named
from dsct_detrex.visualization.plots import figure_file

NOTHING = 1


def visualize(options: argparse.Namespace, words: Sequence[str]) -> int:
    """Draw; returns the exit status.

    Raises:
        UserError: a checkpoint, picture, data set or folder that cannot be used; says which.
    """
    if options.hosts_from == "detrex":
        locate()
    device = device_named(options.device, "--device")
    if device.type == "cpu":
        keep_freed_memory()
    folder = Folder(user_path(options.out), options.overwrite)
    model = _looking(options.checkpoint, options, str(device))
    beside = _looking(options.beside, options, str(device), beside=True) if options.beside else None
    if beside is not None and beside.name == model.name:
        beside = replace(beside, name=f"{beside.name} of {_folder_of(options.beside).resolve().name}")
    samples = find_samples(options.inputs, options.data, options.data_root, options.split, model.predictor.emotions)
    material = Material(
        model=model,
        beside=beside,
        folder=_folder_of(options.checkpoint),
        folder_beside=_folder_of(options.beside) if options.beside else None,
        samples=samples,
        images=options.images,
        people=options.people,
        many=options.many,
    )
    print(f"weights: {model.predictor.origin}\npictures: {samples.said}", flush=True)
    facts: dict[str, Any] = {"schema": 1, "command": recorded("visualize", words), "weights": model.predictor.origin}
    facts |= {"beside": beside and beside.predictor.origin, "pictures": samples.said, "figures": [], "absent": []}
    try:
        for name, kind in chosen_kinds(options.figure):
            _make(name, kind, material, folder, options.dpi, facts)
    except KeyboardInterrupt as stop:
        made = f"{counted(len(folder.names), 'picture')} so far in {folder.path}, without a list of them"
        print(f"Interrupted; {made}. The same command draws them anew.", file=sys.stderr)
        return exit_status(stop)
    if not facts["figures"]:
        return NOTHING
    print(f"written: {folder.write_list(facts)}", flush=True)
    return 0


def _make(name: str, kind: Kind, material: Material, folder: Folder, dpi: int, facts: dict[str, Any]) -> None:
    """All pictures of one figure, each written as soon as it is drawn; or the sentence that says why there are none."""
    made = 0
    try:
        for drawing in kind.draw(material):
            file = folder.write_picture(drawing.name, figure_file(drawing.paint, drawing.inches, "png", dpi))
            facts["figures"].append(
                {"figure": name, "file": file, "shows": drawing.shows, "pictures": list(drawing.pictures)}
            )
            made += 1
            print(f"{folder.path / file}", flush=True)
        reason = "" if made else "nobody was found in these pictures; a lower --threshold finds more."
    except Absent as absent:
        reason = str(absent)
    if reason:
        facts["absent"].append({"figure": name, "reason": reason})
        print(f"no figure {name}: {reason}", flush=True)


def _looking(path: str, options: argparse.Namespace, device: str, beside: bool = False) -> Looking:
    predictor = Predictor.from_checkpoint(
        path, device, threshold=options.threshold, nms=options.nms, given_boxes=beside
    )
    if not isinstance(predictor.model, (DSCT, EMONet) if beside else DSCT):
        raise UserError(
            f"visualize: {predictor.origin} holds {spoken_kind(predictor.model)}; figures look into a DSCT, with an "
            "EMO-Net or another DSCT --beside it."
        )
    return Looking(predictor, _name_of(predictor.model))


def _name_of(model: DSCT | EMONet) -> str:
    """How titles call a model."""
    if isinstance(model, EMONet):
        return "EMO-Net"
    if not model.decoder.use_contexts:
        return "Without contexts"
    return "DSCT" if any(layer.aggregation is not None for layer in model.decoder.layers) else "Without fusion"


def _folder_of(path: str) -> Path:
    place = user_path(path)
    return place if place.is_dir() else place.parent
