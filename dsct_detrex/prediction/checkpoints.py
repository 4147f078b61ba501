"""From what a user names (a release, the folder of a run, a training checkpoint) to a model that can predict.

A release (``weights/release.py``) holds weights, label set, thresholds and the resolved config. ``last.pth`` holds the
same beside the state of the training; of its two sets of weights the average (EMA) is taken where it was kept, and the
thresholds are those of ``train.thresholds``. Configs are read without running code and build only what is on the list
of trusted targets. Other people's checkpoints lack label set and config, and are answered with the way to get there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Final

from omegaconf import DictConfig, OmegaConf
from torch import nn

from dsct_detrex.cli.invocation import spoken
from dsct_detrex.config import TRUSTED_TARGETS, config_from_values, config_from_yaml, instantiate_trusted, selected
from dsct_detrex.config.trust import trusted_targets
from dsct_detrex.data.transforms import Transform
from dsct_detrex.engine.release import threshold_table
from dsct_detrex.errors import UserError
from dsct_detrex.paths import user_path
from dsct_detrex.prediction.export_header import ExportHeader
from dsct_detrex.prediction.foreign import foreign
from dsct_detrex.prediction.onnx_model import SUFFIX as ONNX
from dsct_detrex.prediction.onnx_model import OnnxModel
from dsct_detrex.structures import Emotions, check_emotions
from dsct_detrex.suggestions import did_you_mean
from dsct_detrex.weights import CheckpointFile, Provenance, Release, load_release_weights, read_checkpoint
from dsct_detrex.weights.training_checkpoint import FORMAT

_OF_A_RUN: Final = ("best.safetensors", "last.safetensors", "last.pth")
"""What is taken of a run's folder: the first that is there."""

_TRANSFORM_KEY: Final = "dataloader.test.mapper.transforms"
_TRANSFORMS: Final = (
    "dsct_detrex.data.eval_transforms",
    "dsct_detrex.data.train_transforms",
    "dsct_detrex.data.transforms.",
    "dsct_detrex.data.transforms.eval_transforms",
    "dsct_detrex.data.transforms.train_transforms",
)

_PROGRAM: Final = ".pt2"
_OF_GIVEN_BOXES: Final = "dsct_detrex.baselines."
_OF_TRAINING: Final = ("context_detection",)
"""Arguments of a model that say what it learns from; whoever reads a checkpoint needs none of the data they name."""


@dataclass(frozen=True)
class Loaded:
    """What a predictor is made of.

    Attributes:
        model: on the CPU.
        emotions: its label set.
        transforms: what evaluation does to a picture.
        thresholds: K least probabilities of a shown emotion.
        origin: the file and what in it was taken, in words.
        config: of the training, as the file has it; None where it has none, an exported model.
        header: what goes with the model into an exported file.
        file: of these weights.
    """

    model: nn.Module
    emotions: Emotions
    transforms: Transform
    thresholds: tuple[float, ...]
    origin: str
    config: DictConfig | None
    header: ExportHeader
    file: Path


def load(path: str | PathLike[str], given_boxes: bool = False) -> Loaded:
    """Build what a file or the folder of a run holds.

    Args:
        path: a release, the folder of a run, the ``last.pth`` of one, or an exported ONNX file; ``~`` is expanded.
        given_boxes: whether a two-stage baseline, which finds nobody by itself, is welcome.

    Raises:
        UserError: there is none, it is damaged or somebody else's, or it asks for code that is not trusted; says what
            to do.
    """
    file = _file_of(path)
    if file.suffix.lower() == ONNX:
        return _exported(file)
    if file.suffix.lower() == _PROGRAM:
        raise UserError(
            f"checkpoint: {file} is a program of torch.export, which can carry code, so it is not opened here. Export "
            "to ONNX instead, or load it yourself where you trust it, see docs/export.md."
        )
    checkpoint = read_checkpoint(file)
    extras = checkpoint.extras
    if "release" in extras:
        release: Release = extras["release"]
        config = config_from_yaml(release.config, f"the config inside {file}")
        return _built(file, release, config, _told(release), given_boxes)
    if extras.get("format") == FORMAT:
        return _built(file, *_of_training(file, checkpoint), given_boxes)
    raise foreign(file, checkpoint)


def spoken_kind(model: nn.Module) -> str:
    """What a model is, where it is of a kind that a command cannot use: for example ``an EMONet``."""
    if isinstance(model, OnnxModel):
        return "an exported model, which tells whom it finds and not what it looks at"
    name = type(model).__name__
    return f"a{'n' * (name[0] in 'AEIOU')} {name}"


def _file_of(path: str | PathLike[str]) -> Path:
    if "://" in fspath(path):
        raise UserError(f"checkpoint: {path} is an address, and nothing is downloaded here; fetch the file.")
    place = user_path(fspath(path))
    if place.is_dir():
        for name in _OF_A_RUN:
            if (place / name).is_file():
                return place / name
        inside = sorted(file.name for file in place.iterdir() if file.suffix in {".safetensors", ".pth"})
        hint = f"give one of the files in it, e.g. {inside[0]}" if inside else "give the folder of a run, or a file"
        raise UserError(f"checkpoint: the folder {place} holds none of {', '.join(_OF_A_RUN)}; {hint}.")
    if not place.exists():
        beside = sorted(file.name for file in place.parent.iterdir()) if place.parent.is_dir() else []
        raise UserError(f"checkpoint: {place} does not exist; check the path.{did_you_mean(place.name, beside)}")
    return place


def _told(release: Release) -> str:
    """How long the weights of a release were trained."""
    made = release.provenance
    epochs = f"epoch {made.epoch}" if made.epoch else ""  # who counts steps may not have finished a first one
    return ", ".join(filter(None, (epochs, "" if made.iteration is None else f"iteration {made.iteration}")))


def _of_training(file: Path, checkpoint: CheckpointFile) -> tuple[Release, DictConfig, str]:
    """A ``last.pth`` as the release it would be, its config, and which weights were taken."""
    saved = checkpoint.extras.get("config")
    beside = [name for name in _OF_A_RUN[:2] if (file.parent / name).is_file()]
    remedy = (
        f"; use {file.parent / beside[0]}" if beside else "; use the best.safetensors or last.safetensors of its run"
    )
    if not saved or not saved.get("emotions"):
        lack = "no config" if not saved else "a config without emotions"
        raise UserError(f"checkpoint: {file} is a training checkpoint with {lack} inside{remedy}.")
    cfg: DictConfig = config_from_values(saved, f"the config inside {file}")
    modalities = selected(cfg, "model.modalities")
    for network in modalities.values() if isinstance(modalities, DictConfig) else ():
        if isinstance(network, DictConfig) and "weights" in network:
            network.weights = None  # the checkpoint holds them itself
    emotions: Emotions = _a(Emotions, instantiate_trusted(cfg.emotions), file)
    thresholds = threshold_table(emotions, selected(cfg, "train.thresholds"))
    weights = checkpoint.average or checkpoint.state_dict
    kind = "weight average (EMA)" if checkpoint.average else "weights"
    release = Release(weights, emotions, "", tuple(thresholds), Provenance())
    return release, cfg, f"{kind} of iteration {checkpoint.extras.get('iteration')}, a training checkpoint"


def _built(file: Path, release: Release, cfg: DictConfig, told: str, given_boxes: bool) -> Loaded:
    check_emotions(
        release.emotions,
        f"Predictor: {file}",
        f"It is a start for one that does (train.init_checkpoint={file}); {spoken('eval', [str(file)])} measures it.",
    )
    for key in ("model", _TRANSFORM_KEY):
        if not isinstance(selected(cfg, key), DictConfig):
            raise UserError(f"checkpoint: the config inside {file} has no {key}, so the file cannot be used alone.")
    if str(cfg.model.get("_target_")).startswith(_OF_GIVEN_BOXES) and not given_boxes:
        raise UserError(
            f"checkpoint: {file} is a two-stage baseline, which reads the emotions of people whose boxes are given, "
            "and finds nobody in a picture. Use the release of a DSCT model; "
            f"{spoken('eval', [str(file)])} measures this one."
        )
    trusted = trusted_targets()
    for key in _OF_TRAINING:
        if cfg.model.get(key) is not None:
            cfg.model[key] = None
    model = _a(nn.Module, instantiate_trusted(cfg.model, (*trusted, _OF_GIVEN_BOXES) if given_boxes else trusted), file)
    load_release_weights(model, release, release.emotions)
    block: Any = OmegaConf.to_container(OmegaConf.select(cfg, _TRANSFORM_KEY), resolve=True)
    thresholds = release.thresholds or (0.5,) * release.emotions.num_emotions
    header = ExportHeader(release.emotions, thresholds, block, provenance=release.provenance)
    return _loaded(file, model, header, told, cfg)


def _a(kind: Any, built: Any, file: Path) -> Any:
    """What a config made, if it is of the kind that is needed there."""
    if isinstance(built, kind):
        return built
    raise UserError(
        f"checkpoint: the config inside {file} makes a {type(built).__name__} where {kind.__name__} is expected, so "
        "the file cannot be used alone."
    )


def _exported(file: Path) -> Loaded:
    model = OnnxModel(file)
    return _loaded(file, model, model.header, "onnxruntime")


def _loaded(file: Path, model: nn.Module, header: ExportHeader, told: str, config: DictConfig | None = None) -> Loaded:
    block = config_from_values(header.transforms, f"the transforms in {file}")
    transforms = _a(Callable, instantiate_trusted(block, (*TRUSTED_TARGETS, *_TRANSFORMS)), file)
    origin = f"{file} ({told})" if told else str(file)
    return Loaded(model, header.emotions, transforms, header.thresholds, origin, config, header, file)
