"""The work of ``dsct calibrate``: a release and a validation split in, one with thresholds and a temperature out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from rich.console import Console as RichConsole

from dsct_detrex.calibration.found_people import FoundPeople
from dsct_detrex.calibration.outcome import Outcome, calibrated, thresholds_of
from dsct_detrex.calibration.screen import outcome_tables
from dsct_detrex.cli.calibrate import SPLIT_KEY, Options
from dsct_detrex.cli.evaluate import RELEASE
from dsct_detrex.data.dataset import describe
from dsct_detrex.engine import build
from dsct_detrex.engine.compose import compose
from dsct_detrex.engine.device import choose_device
from dsct_detrex.engine.evaluate import evaluate_model, skipped_pictures
from dsct_detrex.engine.host_memory import keep_freed_memory
from dsct_detrex.engine.screen import Console
from dsct_detrex.errors import UserError
from dsct_detrex.evaluation import StrictProtocol
from dsct_detrex.files import replacing
from dsct_detrex.structures import Emotions, MultiLabelEmotions, check_emotions
from dsct_detrex.visualization.plots import reliability_diagram
from dsct_detrex.weights import Release, load_release, load_release_weights, write_calibrated

_OF_A_RUN = ("best.safetensors", "last.safetensors")
_MARK = "_calibrated"
_PICTURE = "_reliability.png"


def calibrate(options: Options, words: Sequence[str]) -> int:
    """Calibrate one release; returns the exit status.

    Raises:
        UserError: no release, a split that must not be used, nobody found in it, or a place that is taken.
    """
    source = _release(Path(options.release))
    place, picture = _places(source, options)
    release = load_release(source)
    check_emotions(release.emotions, f"calibrate: {source}", "Calibrate the release of a DSCT model.")
    config = str(source) if options.evaluation.config == options.release else options.evaluation.config
    cfg = compose(replace(options.evaluation, config=config, weights=str(source)), print)
    if not options.split_said and OmegaConf.select(cfg, SPLIT_KEY) is not None:
        OmegaConf.update(cfg, SPLIT_KEY, "val")
    people, data = _seen(cfg, release, options.split_said)
    several = isinstance(release.emotions, MultiLabelEmotions)
    old = release.thresholds or (0.5,) * release.emotions.num_emotions
    outcome = calibrated(people, release.emotions, old, options.wanted, data)
    with replacing(place) as unfinished, replacing(picture) as drawn:  # both are whole before either is there
        write_calibrated(source, unfinished, thresholds_of(outcome), outcome)
        drawn.write_bytes(_diagram(outcome, several))
    RichConsole().print(outcome_tables(outcome, several))
    print(f"release: {place}\ndiagram: {picture}")
    return 0


def _release(path: Path) -> Path:
    """The release that a user names: itself, or that of a run's folder."""
    if path.is_dir():
        for name in _OF_A_RUN:
            if (path / name).is_file():
                return path / name
        raise UserError(f"calibrate: the folder {path} holds none of {', '.join(_OF_A_RUN)}; give a release.")
    if path.suffix != RELEASE:
        raise UserError(
            f"calibrate expects a release (*{RELEASE}), for thresholds and temperature are written into one. "
            f"Got {path}."
        )
    if not path.is_file():
        raise UserError(f"calibrate: {path} is not there: check the path.")
    return path


def _places(source: Path, options: Options) -> tuple[Path, Path]:
    """Where release and diagram go; a place that is taken is refused before any work."""
    if options.out is not None:
        place = Path(options.out)
    else:
        place = source if options.overwrite else source.with_name(f"{source.stem}{_MARK}{RELEASE}")
    picture = place.with_name(f"{place.stem}{_PICTURE}")
    for path in (place, picture):
        if path.is_dir() or (os.path.lexists(path) and not options.overwrite):
            kind = "is a folder" if path.is_dir() else "exists and is not replaced"
            raise UserError(f"calibrate: {path} {kind}: give another --out, or --overwrite.")
    return place, picture


def _seen(cfg: DictConfig, release: Release, split_said: bool) -> tuple[FoundPeople, dict[str, Any]]:
    """The people of the split, seen by the model, and what the split is called."""
    settings = build.read_settings(cfg)
    device = choose_device(settings.device)
    if device.type == "cpu":
        keep_freed_memory()
    emotions = _emotions(cfg)
    loader = build.build_loader(cfg, "test")
    if loader is None:
        raise UserError("calibrate: the config has no dataloader.test, so there are no people to calibrate on.")
    data = _described(loader, split_said)
    model = build.build_model(cfg, device, settings.rewrites)
    load_release_weights(model, release, emotions)
    nms = OmegaConf.select(cfg, "dataloader.evaluator.nms_threshold")
    people = FoundPeople(emotions, StrictProtocol() if nms is None else StrictProtocol(float(nms)))
    console = Console()
    print(f"calibrating on {data['description']}", flush=True)
    try:
        evaluate_model(model, loader, people, on_batch=console.evaluating)
    finally:
        console.evaluated()
    lost, _ = skipped_pictures(loader)
    if lost:
        print(f"note: {lost} pictures could not be read and are left out.")
    if not people.found.any():
        raise UserError(
            f"calibrate: none of the {len(people.found)} people of {data['name']} is found at IoU 0.5, so there is "
            "nothing to calibrate. Are these the pictures that the model was trained for?"
        )
    return people, data


def _emotions(cfg: DictConfig) -> Emotions:
    emotions = build.build_emotions(cfg)
    if emotions is None:
        raise UserError("calibrate: the config has no emotions, so its labels cannot be read.")
    return emotions


def _described(loader: Any, split_said: bool) -> dict[str, Any]:
    """What the split is called.

    Raises:
        UserError: it is the test split, and nobody said so.
    """
    dataset = loader.dataset
    split = getattr(dataset, "split", None)
    if split == "test" and not split_said:
        raise UserError(
            "calibrate: the data of this config is the test split. Thresholds and temperature that were chosen on it "
            "make every later score on it too good: give a config with a validation split, or say --split test."
        )
    if split in ("test", "train"):
        why = (
            "later scores on it that use thresholds or probabilities are too good"
            if split == "test"
            else "the weights were trained on it and are surer there than elsewhere; val is meant for this"
        )
        print(f"note: calibrated on the {split} split: {why}.")
    return {"name": dataset.name, "split": split, "description": describe(dataset)}


def _diagram(outcome: Outcome, several: bool) -> bytes:
    return reliability_diagram({when: outcome[when] for when in ("before", "after")}, several, "png")
