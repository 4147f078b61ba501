"""``Predictor``: a checkpoint and pictures in, people and their emotions out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, Literal, overload

import torch
from torch import nn
from torchvision.ops import nms as non_maximum_suppression
from torchvision.transforms.v2 import functional as F

from dsct_detrex.data.images import ImageError, Photo
from dsct_detrex.data.pixels import ChannelOrder
from dsct_detrex.data.transforms import Transform, make_scene
from dsct_detrex.errors import UserError
from dsct_detrex.prediction.batching import Waiting, batched_by_size
from dsct_detrex.prediction.checkpoints import load
from dsct_detrex.prediction.devices import device_named
from dsct_detrex.prediction.given import each_picture, kind_of
from dsct_detrex.prediction.inputs import CHANNEL_ORDERS, Picture, as_photo, name_of
from dsct_detrex.prediction.precision import PRECISIONS, autocast_for, in_float32
from dsct_detrex.prediction.prediction import Prediction
from dsct_detrex.prediction.predictions import Predictions
from dsct_detrex.prediction.reading_ahead import read_ahead
from dsct_detrex.rewrites import chosen, rewrite
from dsct_detrex.structures import Boxes, Emotions, Instances

OnError = Literal["raise", "report"]
ON_ERROR = ("raise", "report")

_TOO_LARGE = "There is not enough memory to predict on it. Make it smaller."


@dataclass(frozen=True)
class _Read:
    """A picture, its pixels or why there are none, and what the model reads of it."""

    picture: Picture
    photo: Photo | UserError
    model_input: dict[str, Any] = field(default_factory=dict)


class Predictor:
    """Finds people and their emotions in pictures.

    Args:
        model: called with ``[{"image", "height", "width"}]`` in evaluation mode.
        emotions: the label set of the model.
        transforms: what evaluation does to a picture before the model sees it (``data/transforms.py``).
        emotion_thresholds: per emotion, the least probability that counts as "shown".
        threshold: least confidence of a person, in [0, 1]; as the flag of ``predict.py``, like ``nms``.
        nms: of two people whose boxes overlap more (IoU, in [0, 1]), the less confident goes; 1 keeps all.
        origin: where the weights come from, in words.
        rewrites: exact rewrites that make the model faster: ``all``, ``none``, or a list of names, see ``rewrites``.
        amp: in which precision the model multiplies, see ``prediction.precision``.

    Raises:
        UserError: a threshold outside [0, 1], an unknown rewrite or an unknown precision.
    """

    def __init__(
        self,
        model: nn.Module,
        emotions: Emotions,
        transforms: Transform,
        emotion_thresholds: tuple[float, ...],
        threshold: float = 0.3,
        nms: float = 0.5,
        origin: str = "",
        rewrites: str | Sequence[str] = "all",
        amp: str = "off",
    ) -> None:
        _check_share("threshold", threshold)
        _check_share("nms", nms)
        _check_choice("amp", amp, PRECISIONS)
        chosen(rewrites, "Predictor(rewrites=)")
        self.model = model.eval()
        rewrite(self.model, rewrites)
        self.emotions = emotions
        self.transforms = transforms
        self.emotion_thresholds = emotion_thresholds
        self.threshold = threshold
        self.nms = nms
        self.origin = origin
        self.file: Path | None = None
        """The weights, where they were read from a file."""
        self.amp = amp

    @classmethod
    def from_checkpoint(
        cls,
        path: str | PathLike[str],
        device: str = "auto",
        threshold: float = 0.3,
        nms: float = 0.5,
        rewrites: str | Sequence[str] = "all",
        given_boxes: bool = False,
        amp: str = "off",
    ) -> Predictor:
        """Build from what a training left.

        Args:
            path: a release (``best.safetensors``), the folder of a run, of which ``best.safetensors`` is taken, else
                ``last.safetensors``, or a training checkpoint (``last.pth``), of which the weight average is taken
                where it was kept; ``~`` is expanded. ``origin`` says which it was.
            device: where the model runs: ``auto`` (a GPU where there is one), ``cpu``, ``cuda``, ``cuda:<index>`` or
                ``mps``.
            threshold: least confidence of a person, in [0, 1].
            nms: of two people whose boxes overlap more, the less confident goes; see the class.
            rewrites: exact rewrites that make the model faster; see the class.
            given_boxes: whether a model that finds nobody by itself is welcome, see ``checkpoints.load``.
            amp: ``off`` (float32, as evaluations measure), ``auto``, ``on``, ``bfloat16`` or ``float16``.

        Raises:
            UserError: the file is missing, damaged, none of these, or asks for code that is not trusted; the device is
                not there; a threshold is outside [0, 1]; a rewrite or precision is unknown.
        """
        place = device_named(device, "Predictor.from_checkpoint(device=)")
        loaded = load(path, given_boxes)
        predictor = cls(
            loaded.model,
            loaded.emotions,
            loaded.transforms,
            loaded.thresholds,
            threshold,
            nms,
            loaded.origin,
            rewrites,
            amp,
        )
        predictor.file = loaded.file
        if amp not in ("off", "auto") and next(predictor.model.parameters(), None) is None:
            raise UserError(
                f"checkpoint: {loaded.file} computes as it was exported, and not in 16 bits by torch (amp={amp}); "
                "leave that out."
            )
        predictor.model.to(place)
        return predictor

    def to(self, device: str) -> Predictor:
        """Move the model to a device, named as in ``from_checkpoint``, and return the predictor.

        Raises:
            UserError: the device is not there.
        """
        self.model.to(device_named(str(device), "Predictor.to(device=)"))
        return self

    @overload
    def __call__(  # type: ignore[overload-overlap]
        self, pictures: Picture, batch_size: int = ..., channel_order: ChannelOrder = ..., on_error: OnError = ...
    ) -> Prediction: ...
    @overload
    def __call__(  # type: ignore[overload-overlap]
        self,
        pictures: Sequence[Picture],
        batch_size: int = ...,
        channel_order: ChannelOrder = ...,
        on_error: OnError = ...,
    ) -> Predictions: ...
    @overload
    def __call__(
        self,
        pictures: Iterable[Picture],
        batch_size: int = ...,
        channel_order: ChannelOrder = ...,
        on_error: OnError = ...,
    ) -> Iterator[Prediction]: ...
    def __call__(
        self,
        pictures: Picture | Iterable[Picture],
        batch_size: int = 1,
        channel_order: ChannelOrder = "rgb",
        on_error: OnError = "raise",
    ) -> Prediction | Predictions | Iterator[Prediction]:
        """The people of one picture, of several, or of a stream of pictures.

        Args:
            pictures: one (a path, a PIL image of any mode, an array (H, W, C), a tensor (C, H, W), see
                ``prediction.inputs``), several (a list, a folder, an array or tensor with one dimension more) or a
                stream (a generator or any other iterable), see ``prediction.given``.
            batch_size: pictures at a time, at most.
            channel_order: of the colours of arrays and tensors: ``rgb``, or ``bgr`` as OpenCV reads.
            on_error: ``raise`` at a picture that cannot be read, or ``report`` it as a ``Prediction`` with ``error``.

        Returns:
            For one a ``Prediction``, for several ``Predictions``, for a stream an iterator that reads and predicts as
            far as it is asked. (Type checkers, which cannot see a folder in a path nor count dimensions, take these for
            one; in a list they are several for them, too.)

        Raises:
            ImageError: a picture cannot be read.
            UserError: something is no picture; an argument is out of range.
        """
        results = self.stream(pictures, batch_size, channel_order, on_error)
        match kind_of(pictures):
            case "one":
                return next(results)
            case "several":
                return Predictions((result.without_pixels() for result in results), self.emotions)
            case "stream":
                return results

    def stream(
        self,
        pictures: Picture | Iterable[Picture],
        batch_size: int = 1,
        channel_order: ChannelOrder = "rgb",
        on_error: OnError = "raise",
        ahead: int = 0,
    ) -> Iterator[Prediction]:
        """``__call__`` for any number of pictures, one result after the other; memory holds up to four batches.

        A batch is of pictures that are equally large for the model, as long as there are such (``batching.py``).

        Args:
            ahead: pictures that a thread reads while the model works; 0: none is read before it is needed.

        Raises:
            UserError: an argument is out of range; the rest while results are asked for, see ``__call__``.
        """
        if batch_size < 1:
            raise UserError(f"Predictor.stream(batch_size=) expects at least 1. Got {batch_size}.")
        _check_choice("channel_order", channel_order, CHANNEL_ORDERS)
        _check_choice("on_error", on_error, ON_ERROR)
        alone = kind_of(pictures) == "one"
        numbered = ((picture, "" if alone else f"picture {n}") for n, picture in enumerate(each_picture(pictures), 1))
        read = (self._read(picture, channel_order, called) for picture, called in numbered)
        return self._results(read_ahead(read, ahead), batch_size, on_error)

    def _results(
        self, read: Iterator[Waiting[_Read, Instances | UserError]], batch_size: int, on_error: OnError
    ) -> Iterator[Prediction]:
        """Results of pictures that were read."""
        for one in batched_by_size(read, self._people, batch_size):
            photo, name = one.item.photo, name_of(one.item.picture)
            found, pixels = (one.result[0], photo) if isinstance(photo, Photo) else (photo, None)
            if isinstance(found, Instances):
                yield self._prediction(found, name, pixels)
            elif on_error == "report" and isinstance(found, ImageError):
                yield self._prediction(Instances((0, 0)), name, None, found.problem)
            else:
                raise found

    def _read(
        self, picture: Picture, channel_order: ChannelOrder, called: str
    ) -> Waiting[_Read, Instances | UserError]:
        """A picture read and ready for the model, or why it is not: told in its turn, after the results before it.

        Args:
            called: in messages, where it has no name of its own.
        """
        try:
            photo = as_photo(picture, channel_order)
        except UserError as error:
            named = type(error)(f"{called}: {error}") if called and not name_of(picture) else error
            return Waiting(_Read(picture, named), None)
        try:
            model_input = self.model_input(photo)
        except (MemoryError, RuntimeError) as error:
            if not _is_out_of_memory(error):
                raise
            return Waiting(_Read(picture, ImageError(_TOO_LARGE)), None)
        height, width = model_input["image"].shape[-2:]
        return Waiting(_Read(picture, photo, model_input), (height, width), photo.pixels.width * photo.pixels.height)

    @torch.inference_mode()
    def _people(self, pictures: Sequence[_Read]) -> list[Instances | UserError]:
        """The people of each picture, together where memory allows, else one by one."""
        try:
            with autocast_for(self.amp, self.model):
                outputs = self.model([picture.model_input for picture in pictures])
        except (MemoryError, RuntimeError) as error:
            if not _is_out_of_memory(error):
                raise
        else:
            return [self.keep(in_float32(output["instances"].to("cpu"))) for output in outputs]
        if len(pictures) == 1:
            return [ImageError(_TOO_LARGE)]
        return [people for picture in pictures for people in self._people([picture])]

    def _prediction(self, people: Instances, file: str, photo: Photo | None, error: str = "") -> Prediction:
        return Prediction(people, self.emotions, self.emotion_thresholds, file, photo, error)

    def model_input(self, photo: Photo) -> dict[str, Any]:
        """What the model reads of a picture: ``image`` (3, h, w) uint8, and ``height`` and ``width`` of its frame."""
        scene = self.transforms(make_scene(F.pil_to_tensor(photo.pixels), []))
        return {"image": scene["image"].as_subclass(torch.Tensor), "height": photo.height, "width": photo.width}

    def keep(self, people: Instances) -> Instances:
        """The confident ones, the most confident first, their boxes cut at the border of the picture."""
        confident = people[people.scores >= self.threshold]
        # NMS also sorts
        boxes = confident.pred_boxes.tensor
        kept = confident[non_maximum_suppression(boxes, confident.scores, self.nms)]
        height, width = kept.image_size
        inside = kept.pred_boxes.tensor.clamp(min=0)
        kept.pred_boxes = Boxes(inside.minimum(inside.new_tensor([width, height, width, height])))
        return kept

    def __repr__(self) -> str:
        name = self.emotions.name
        return f"Predictor({self.origin or type(self.model).__name__}; {name}, {self.emotions.num_emotions} emotions)"


def _is_out_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or "memory" in str(error).lower()


def _check_share(name: str, value: float) -> None:
    if not 0 <= value <= 1:  # NaN fails too
        raise UserError(f"Predictor({name}=) expects a number from 0 to 1. Got {value}.")


def _check_choice(name: str, value: object, known: Sequence[str]) -> None:
    if value not in known:
        raise UserError(f"Predictor({name}=) expects one of {', '.join(known)}. Got {value!r}.")
