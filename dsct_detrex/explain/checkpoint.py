"""What is measured: a checkpoint as a reader, the drawn scenes that suit it, and a short name for it.

A checkpoint trained on drawn scenes is measured on unseen ones (the test split) of the same size, boxes and number of
people; any other with EMOTIC's or CAER-S's emotions on scenes of the default size with head boxes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from omegaconf import DictConfig, OmegaConf

from dsct_detrex.data.synthetic import SyntheticScenes
from dsct_detrex.data.synthetic.bounds import Format
from dsct_detrex.data.synthetic.dataset import FORMATS
from dsct_detrex.dsct import DSCT
from dsct_detrex.errors import UserError
from dsct_detrex.explain.reading import Reader
from dsct_detrex.prediction.checkpoints import Loaded, load, spoken_kind
from dsct_detrex.rewrites import rewrite
from dsct_detrex.structures import Emotions, get_emotions

_DATA_SET = "dataloader.test.dataset"
_DRAWN = (
    f"{SyntheticScenes.__module__.rpartition('.')[0]}.SyntheticScenes",
    f"{SyntheticScenes.__module__}.SyntheticScenes",
)
_KEPT = ("size", "boxes", "max_people", "seed")
_SUFFIXES = (".safetensors", ".pth")
_OF_EVERY_RUN = ("best", "last", "last_ema")
_SEED = re.compile(r"seed\d+")
_SIZE = (356, 200)
"""Of ``configs/common/data/synthetic.py``."""


class Subject(NamedTuple):
    """A checkpoint ready to be measured.

    Attributes:
        reader: its model.
        scenes: what it reads.
        format: whose emotions it knows.
        origin: the file, and which weights of it.
        fuses: whether any layer takes in contexts.
    """

    reader: Reader
    scenes: SyntheticScenes
    format: Format
    origin: str
    fuses: bool


def open_checkpoint(path: str, num_scenes: int, device: torch.device) -> Subject:
    """Load a checkpoint and lay out its scenes.

    Args:
        path: a release, the folder of a run, or a training checkpoint.
        num_scenes: how many scenes, at least 1.
        device: where the model runs.

    Raises:
        UserError: it cannot be loaded, is no DSCT model, or reads emotions that drawn scenes do not show.
    """
    loaded, model = opened(path, "explain")
    format = _format(loaded.emotions, path)
    model.eval().to(device)
    rewrite(model)
    scenes = scenes_like(loaded.config, format, num_scenes)
    reader = Reader(model, loaded.emotions, loaded.transforms)
    return Subject(reader, scenes, format, loaded.origin, model.decoder.takes_in_contexts)


def opened(path: str, asker: str) -> tuple[Loaded, DSCT]:
    """A checkpoint and its model, on the CPU.

    Raises:
        UserError: it cannot be loaded, or is no DSCT model; ``asker`` complains.
    """
    loaded = load(path)
    if not isinstance(loaded.model, DSCT):
        raise UserError(
            f"{asker}: {path} holds {spoken_kind(loaded.model)}; contexts and subject queries are of a DSCT model, so "
            "give a checkpoint of one."
        )
    return loaded, loaded.model


def short_names(paths: Sequence[str]) -> list[str]:
    """A name for each checkpoint: its file or folder where these differ, else as many folders as it takes.

    ``best`` and ``last`` say nothing, so a run's file is called as its folder; nor does ``seed0``, so a run of a sweep
    is called as its row, too.
    """
    parts = [_parts(Path(path).resolve()) for path in paths]
    for depth in range(1, max(map(len, parts)) + 1):
        names = ["/".join(part[-depth:]) for part in parts]
        if len(set(names)) == len(names):
            return names
    return [f"{part[-1]} ({number})" for number, part in enumerate(parts, start=1)]  # the same one twice


def _parts(path: Path) -> tuple[str, ...]:
    parts = (path.with_suffix("") if path.suffix in _SUFFIXES else path).parts
    parts = parts[:-1] if parts[-1] in _OF_EVERY_RUN and len(parts) > 2 else parts
    return (*parts[:-2], "/".join(parts[-2:])) if _SEED.fullmatch(parts[-1]) and len(parts) > 2 else parts


def format_of(emotions: Emotions) -> Format | None:
    """Whose annotations drawn scenes can have for a model; None where they know no causes for its emotions."""
    for name in FORMATS:
        if get_emotions(name).names == emotions.names and type(get_emotions(name)) is type(emotions):
            return name
    return None


def scenes_like(config: DictConfig | None, format: Format, num_scenes: int) -> SyntheticScenes:
    """Unseen scenes that suit a checkpoint.

    Args:
        config: of its training, as far as it is known.
        format: whose annotations.
        num_scenes: how many, at least 1.
    """
    return SyntheticScenes(format, "test", num_scenes, **_like_training(config))


def _format(emotions: Emotions, path: str) -> Format:
    found = format_of(emotions)
    if found is None:
        raise UserError(
            f"explain: drawn scenes show the emotions of {' or '.join(FORMATS)}, whose causes are known. {path} reads "
            f"those of {emotions.name}; nothing can be measured."
        )
    return found


def _like_training(config: DictConfig | None) -> dict[str, Any]:
    """Arguments of ``SyntheticScenes`` of the checkpoint's own data set, where it was trained on drawn scenes."""
    said = None if config is None else OmegaConf.select(config, _DATA_SET)
    if not isinstance(said, DictConfig) or said.get("_target_") not in _DRAWN:
        return {"size": _SIZE}
    plain = OmegaConf.to_container(said, resolve=True)
    assert isinstance(plain, dict)
    return {str(key): tuple(value) if key == "size" else value for key, value in plain.items() if key in _KEPT}
