"""The work of ``dsct demo``: train DSCT and its no-context baseline, evaluate both on unseen scenes, write the report.

Everything is done with the commands a user has: ``dsct train`` trains and evaluates, ``Predictor`` reads the
pictures of the report out of the one file that training left.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from dsct_detrex.cli.invocation import spoken
from dsct_detrex.cli.train import parse
from dsct_detrex.config import instantiate, load_config
from dsct_detrex.config.project import config_file
from dsct_detrex.counting import counted
from dsct_detrex.demo.trainings import Training, forget, run_all, train_all
from dsct_detrex.diagnosis.command_line import content_of, diagnosed
from dsct_detrex.engine.compose import compose, refuse_useless
from dsct_detrex.engine.device import choose_device
from dsct_detrex.engine.plan import stated_steps
from dsct_detrex.engine.precision import precision_words
from dsct_detrex.engine.settings import Amp
from dsct_detrex.evaluation.cautions import found_note
from dsct_detrex.evaluation.formatting import metric_word, on_part, percent
from dsct_detrex.explain import results
from dsct_detrex.explain.changes import CAUSES
from dsct_detrex.explain.command_line import explained
from dsct_detrex.files import replacing
from dsct_detrex.prediction import Predictor
from dsct_detrex.structures import Boxes, Instances
from dsct_detrex.visualization import Picture, RunResult, contact_sheet, draw_predictions, write_demo_report
from dsct_detrex.visualization.sections import explanation, fusion
from dsct_detrex.weights import load_release

NUM_PICTURES = 12
NUM_EXPLAINED = 24
"""Scenes that are read with and without their causes: some ten seconds a model on one core."""
OBJECTS = "projects/demo_objects.safetensors"
"""A detector of drawn things, of the same network: both models start from it, as the paper's start from COCO's."""
_START = "train.init_checkpoint"
_FROM_OBJECTS = (
    f"{_START}={OBJECTS}",
    "hosts.deformable_detr.backbone.freeze_at=2",
    "train.max_iter=384",
    "train.eval_period=128",
)
"""A fifth fewer steps than from scratch; stem and first stage stay as they are, as in detectron2's recipes, which saves
a quarter of a step's work."""
_WEIGHTS = "train.init_checkpoint=${train.output_dir}/../last.safetensors"
"""What is tested are the weights that training ended with, not those that were best on some split."""


def demo(arguments: argparse.Namespace, words: Sequence[str]) -> int:
    """Train, evaluate, report; returns the exit status."""
    out = Path(arguments.out)
    trainings = [
        Training("DSCT", Path("projects/demo.py"), out / "dsct"),
        Training("Without contexts", Path("projects/demo_baseline.py"), out / "baseline"),
    ]
    lenient = ("--unused-overrides=note",) if arguments.overrides else ()  # they go to two models
    overrides = ("train.amp.enabled=auto", *lenient, *arguments.overrides)
    start = start_words(arguments.overrides)
    refuse_useless((t.words(*overrides) for t in trainings), arguments.overrides)
    cfg = compose(parse(trainings[0].words(*start, *overrides)), check=False)
    train_all(trainings, stated_steps(cfg), *start, *overrides)
    tested = [Training(t.name, t.config, t.output_dir / "test") for t in trainings]
    run_all(tested, "test", "--eval-only", *_test_split(arguments.test_images), *overrides, _WEIGHTS)
    runs = [_result(t, test) for t, test in zip(trainings, tested, strict=True)]
    pictures = read_pictures(trainings[0])
    sheet = contact_sheet([p.image for p in pictures[:6]], columns=3, captions=[p.caption for p in pictures[:6]])
    with replacing(out / "pictures.png") as unfinished:
        sheet.save(unfinished)
    device = choose_device("auto")
    read = [explained(str(t.output_dir / "last.safetensors"), NUM_EXPLAINED, device, t.name) for t in trainings]
    measured = results.content(spoken("demo", words), [row for row, _ in read])
    fused = [diagnosed(str(t.output_dir / "last.safetensors"), t.name, NUM_EXPLAINED, device) for t in trainings]
    references = runs[0].report["references"]
    notes = {
        "Command": spoken("demo", words),
        "Configuration": "projects/demo.py; projects/demo_baseline.py differs in two lines",
        "Start": _start(cfg.train.init_checkpoint),
        "Device": f"{_device_name()}, one process per model, side by side",
        "Precision": precision_words(Amp("auto"), device),
    }
    report = write_demo_report(
        out / "report.html",
        runs,
        pictures,
        references,
        notes,
        explanation=explanation(measured, CAUSES, read[0][1]),
        fusion=fusion(content_of(spoken("demo", words), fused)),
    )
    forget(trainings)
    _say(runs, references)
    print(f"report: {report}")
    return 0


def start_words(overrides: Sequence[str]) -> tuple[str, ...]:
    """What makes both trainings start from the shipped detector; nothing where the user names another start."""
    return () if any(word.startswith(_START) for word in overrides) else _FROM_OBJECTS


def _test_split(length: int) -> list[str]:
    return ["dataloader.test.dataset.split=test", f"dataloader.test.dataset.length={length}"]


def _result(training: Training, test: Training) -> RunResult:
    report: dict[str, Any] = json.loads((test.output_dir / "evaluation_test.json").read_text(encoding="utf-8"))
    weights = load_release(training.output_dir / "last.safetensors").state_dict
    parameters = sum(t.numel() for n, t in weights.items() if t.is_floating_point() and ".running_" not in n)
    return RunResult(training.name, report, training.rows(), parameters, training.seconds())


def read_pictures(training: Training, count: int = NUM_PICTURES) -> list[Picture]:
    """The first ``count`` test scenes as the trained model reads them; annotations are dashed."""
    predictor = Predictor.from_checkpoint(training.output_dir / "last.safetensors")
    cfg = load_config(config_file(str(training.config)))
    cfg.dataloader.test.dataset.split = "test"
    scenes = instantiate(cfg.dataloader.test.dataset)
    pictures = []
    for index in range(count):
        image: Image.Image = scenes.load_image(index)
        record = scenes.record(index)
        people = record["annotations"]
        truth = Instances(
            (record["height"], record["width"]),
            gt_boxes=Boxes(torch.tensor([person["bbox"] for person in people])),
            **{scenes.emotions.target_field: scenes.emotions.encode([person["labels"] for person in people])},
        )
        drawn = draw_predictions(image, predictor(image).instances, scenes.emotions, 0.0, ground_truth=truth)
        pictures.append(Picture(drawn, _caption(people[0]["extra"]["cues"], len(people))))
    return pictures


def _caption(cues: dict[str, Any], people: int) -> str:
    """For example ``Park, rain, dusk: 2 people``."""
    scene = ", ".join(str(cues[name]) for name in ("place", "weather", "light"))
    return f"{scene[:1].upper()}{scene[1:]}: {counted(people, 'person')}"


def _start(file: str | None) -> str:
    if not file:
        return "both models are trained from scratch in this run; no checkpoint is loaded"
    return f"both models start from the weights of {file} and are trained in this run"


def _device_name() -> str:
    if torch.cuda.is_available():
        return str(torch.cuda.get_device_name())
    return f"CPU ({os.cpu_count()} cores, {platform.machine()})"


def _say(runs: Sequence[RunResult], references: dict[str, float]) -> None:
    metric = runs[0].report["primary_metric"]
    for run in runs:
        value, people = run.report["metrics"][metric], run.report["counts"]["people"]
        found = f" ({found_note(run.report)})" if found_note(run.report) else ""
        on = f"{counted(people, 'unseen person')}{on_part(run.report)}"
        print(f"{run.name}: {metric_word(metric)} {percent(value)} on {on}{found}")
    print(
        "exact bounds: " + ", ".join(f"{name.replace('_', ' ')} {percent(value)}" for name, value in references.items())
    )
