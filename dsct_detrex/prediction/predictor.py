"""``Predictor``: a release file and a picture in, people and their emotions out.

The release (``weights/release.py``) holds weights, label set, thresholds and the resolved config; nothing else is
needed. Its config is read without running code and builds only what is on the list of trusted targets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from omegaconf import OmegaConf
from torch import nn
from torchvision.ops import nms
from torchvision.transforms.v2 import functional as F

from dsct_detrex.config import TRUSTED_TARGETS, config_from_yaml, instantiate_trusted
from dsct_detrex.data.images import Photo
from dsct_detrex.data.transforms import Transform, make_scene
from dsct_detrex.engine.device import choose_device
from dsct_detrex.errors import UserError
from dsct_detrex.paths import user_path
from dsct_detrex.prediction.inputs import Picture, as_photo
from dsct_detrex.structures import Emotions, Instances
from dsct_detrex.weights import load_release, load_release_weights

_TRANSFORM_KEY = "dataloader.test.mapper.transforms"
_TRANSFORMS = ("dsct_detrex.data.eval_transforms", "dsct_detrex.data.train_transforms", "dsct_detrex.data.transforms.")


class Predictor:
    """Finds people and their emotions in pictures.

    Args:
        model: called with ``[{"image", "height", "width"}]`` in evaluation mode.
        emotions: the label set of the model.
        transforms: what evaluation does to a picture before the model sees it (``data/transforms.py``).
        thresholds: per emotion, the least probability that counts as "shown".
        score_threshold: least confidence that a query found a person, in [0, 1].
        nms_threshold: of two people whose boxes overlap more (IoU, in [0, 1]), the less confident goes; 1 keeps all.

    Raises:
        UserError: a threshold outside [0, 1].
    """

    def __init__(
        self,
        model: nn.Module,
        emotions: Emotions,
        transforms: Transform,
        thresholds: tuple[float, ...],
        score_threshold: float = 0.3,
        nms_threshold: float = 0.5,
    ) -> None:
        _check_share("score_threshold", score_threshold)
        _check_share("nms_threshold", nms_threshold)
        self.model = model.eval()
        self.emotions = emotions
        self.transforms = transforms
        self.thresholds = thresholds
        self.score_threshold = score_threshold
        self.nms_threshold = nms_threshold

    @classmethod
    def from_checkpoint(cls, path: str | Path, device: str = "cpu", **settings: float) -> Predictor:
        """Build from a release written by training (``best.safetensors``, ``last.safetensors``).

        Args:
            path: the file; ``~`` is expanded.
            device: where the model runs: ``auto``, ``cpu``, ``cuda``, ``cuda:<index>`` or ``mps``.
            settings: ``score_threshold`` and ``nms_threshold``.

        Raises:
            UserError: the file is missing, damaged, no release, or asks for code that is not trusted; the device is
                not there; a threshold is outside [0, 1].
        """
        path = user_path(path)
        place = device_named(device, "Predictor.from_checkpoint(device=)")
        release = load_release(path)
        cfg = config_from_yaml(release.config, f"the config inside {path}")
        for key in ("model", _TRANSFORM_KEY):
            if OmegaConf.select(cfg, key) is None:
                raise UserError(f"Predictor: the config inside {path} has no {key}, so the file cannot be used alone.")
        model = instantiate_trusted(cfg.model)
        load_release_weights(model, release, release.emotions)
        transforms = instantiate_trusted(OmegaConf.select(cfg, _TRANSFORM_KEY), (*TRUSTED_TARGETS, *_TRANSFORMS))
        thresholds = release.thresholds or (0.5,) * release.emotions.num_emotions
        return cls(model.to(place), release.emotions, transforms, thresholds, **settings)

    def __call__(self, image: Picture) -> Instances:
        """The people of one picture, most confident first.

        Args:
            image: a path, a PIL image, an array (H, W, 3) or a tensor (3, H, W), see ``prediction.inputs``. Modes, bit
                depths and EXIF turns are treated as ``predict.py`` treats those of files.

        Returns:
            ``pred_boxes`` (xyxy, pixels of the upright picture in its original size), ``scores``, ``emotion_probs``
            (n, K), ``pred_classes`` and ``pred_logits``, see ``dsct.postprocess``; ``image_size`` is (height, width) of
            that frame; on the CPU.

        Raises:
            ImageError: the picture cannot be read.
            UserError: it is no picture.
        """
        return next(self.stream([image], batch_size=1))

    def stream(self, images: Iterable[Picture], batch_size: int = 1) -> Iterator[Instances]:
        """``__call__`` for any number of pictures, ``batch_size`` at a time.

        Raises:
            UserError: ``batch_size`` is below 1.
        """
        if batch_size < 1:
            raise UserError(f"Predictor.stream(batch_size=) expects at least 1. Got {batch_size}.")
        return self._batches(iter(images), batch_size)

    @torch.inference_mode()
    def _batches(self, pictures: Iterator[Picture], batch_size: int) -> Iterator[Instances]:
        while batch := list(islice(pictures, batch_size)):
            for output in self.model([self._model_input(as_photo(picture)) for picture in batch]):
                yield self._keep(output["instances"].to("cpu"))

    def shown_emotions(self, person: Instances, row: int) -> list[int]:
        """Class indices of the emotions that row ``row`` shows: those over their threshold, else the most probable.

        A person of a multi-class label set shows exactly one.
        """
        probabilities = person.emotion_probs[row].tolist()
        best = int(person.pred_classes[row])
        if self.emotions.target_field == "gt_classes":
            return [best]
        over = [i for i, (p, t) in enumerate(zip(probabilities, self.thresholds, strict=True)) if p >= t]
        return sorted(over, key=lambda i: -probabilities[i]) or [best]

    def _model_input(self, photo: Photo) -> dict[str, Any]:
        scene = self.transforms(make_scene(F.pil_to_tensor(photo.pixels), []))
        return {"image": scene["image"].as_subclass(torch.Tensor), "height": photo.height, "width": photo.width}

    def _keep(self, people: Instances) -> Instances:
        confident = people[people.scores >= self.score_threshold]
        # NMS also sorts: the most confident first.
        return confident[nms(confident.pred_boxes.tensor, confident.scores, self.nms_threshold)]


def device_named(name: str, asked: str) -> torch.device:
    """The device of that name, see ``choose_device``, whose sentences then speak of ``asked``, the flag or argument."""
    try:
        return choose_device(name)
    except UserError as error:
        raise UserError(str(error).replace("train.device", asked)) from error


def _check_share(name: str, value: float) -> None:
    if not 0 <= value <= 1:  # NaN fails too
        raise UserError(f"Predictor({name}=) expects a number from 0 to 1. Got {value}.")
