"""``train.init_checkpoint``: the weights a run starts from, or the ones that ``--eval-only`` evaluates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import nn

from dsct_detrex.engine.settings import TrainSettings
from dsct_detrex.errors import UserError
from dsct_detrex.structures import Emotions
from dsct_detrex.weights import (
    CheckpointFile,
    LoadReport,
    Release,
    folded,
    load_release_weights,
    load_weights,
    read_checkpoint,
)


@dataclass(frozen=True)
class InitialWeights:
    """What a model begins with, in words.

    Attributes:
        text: which weights they are.
        notes: what must be known about them, a sentence each.
        details: every tensor's fate, for ``log.txt``.
        random: nothing was loaded.
    """

    text: str
    notes: tuple[str, ...] = ()
    details: str = ""
    random: bool = False


def load_initial_weights(
    model: nn.Module, settings: TrainSettings, emotions: Emotions | None, eval_only: bool
) -> InitialWeights:
    """Load ``train.init_checkpoint``, if there is one, into the model.

    To start a training, whatever fits is taken. To evaluate, a release must fit completely; of another checkpoint,
    weights that stay random are announced. A ``last.pth`` gives its weight average if
    ``train.model_ema.use_ema_weights_for_eval_only`` says so; a file without one is announced.

    Raises:
        UserError: ``eval_only`` without a checkpoint, or a checkpoint that cannot be read or does not fit.
    """
    path = settings.init_checkpoint
    if not path:
        if eval_only:
            raise UserError(
                "--eval-only evaluates the weights of train.init_checkpoint, which is empty: add "
                "train.init_checkpoint=<file>, e.g. the best.safetensors of a run."
            )
        return InitialWeights("random (train.init_checkpoint is empty)", random=True)
    checkpoint = read_checkpoint(path)
    release = checkpoint.extras.get("release")
    use_average = eval_only and settings.model_ema.use_ema_weights_for_eval_only
    if eval_only and checkpoint.kind == "release" and emotions is not None:
        report = load_release_weights(model, checkpoint.extras["release"], emotions)
    else:
        averaged = checkpoint.average if use_average else None
        report = load_weights(model, averaged or checkpoint.state_dict)
    notes = [
        *_of_average(checkpoint, use_average),
        *_of_release(release, eval_only),
        *_left_random(report, path, eval_only),
    ]
    if report.hosts_differ():
        notes.append(f"note: {report.difference()}")
    return InitialWeights(_text(path, report, release), tuple(notes), report.summary())


def _text(path: str, report: LoadReport, release: Release | None) -> str:
    total = len(report.loaded) + len(report.reinitialised) + len(report.missing)
    kind = "a release" if release is not None else report.source()
    unused = f", {len(report.unexpected)} in it unused" if report.unexpected else ""
    return f"{path}\n{kind}: {len(report.loaded)} of {total} tensors loaded{unused}"


def _of_average(checkpoint: CheckpointFile, wanted: bool) -> list[str]:
    if not wanted:
        return []
    if not checkpoint.average:
        return [
            "note: train.model_ema.use_ema_weights_for_eval_only has no effect: no average stands beside these weights."
        ]
    return ["note: the weight average of this checkpoint is used (train.model_ema.use_ema_weights_for_eval_only)."]


def _of_release(release: Release | None, eval_only: bool) -> list[str]:
    if release is None:
        return []
    notes = [f"note: these weights are {release.provenance.note}"] if release.provenance.note else []
    if release.calibration is None:
        return notes
    used = "which probabilities are read at; no score depends on it" if eval_only else "which a training does not take"
    return [*notes, f"note: these weights are calibrated, temperature {release.emotions.temperature:.3g}, {used}."]


def _left_random(report: LoadReport, path: str, eval_only: bool) -> list[str]:
    fresh = [*(mismatch.name for mismatch in report.reinitialised), *report.missing]
    if not fresh:
        return []
    if eval_only:
        return [
            f"WARNING: {len(fresh)} weights are not in the file and stay random: what follows describes no trained "
            f"model ({folded(fresh)})."
        ]
    name = Path(path).name
    return [f"note: {len(fresh)} weights are not in {name}, or of another shape, and start afresh: {folded(fresh)}."]
