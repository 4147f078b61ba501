"""A DSCT model reads a few pictures of one size: where it sees people, what they feel, what every layer took in.

Shapes: P pictures, N subjects, M contexts, L layers, K emotions, n people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms.v2 import functional as F

from dsct_detrex.data.transforms import Transform, make_scene
from dsct_detrex.dsct import DSCT
from dsct_detrex.dsct.decoder import LayerOutput
from dsct_detrex.dsct.postprocess import postprocess
from dsct_detrex.evaluation.protocols import StrictProtocol
from dsct_detrex.structures import Emotions, Instances

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Choices:
    """What one layer took in of one picture.

    Attributes:
        layer: its number, from 1.
        weights: (N, M) of the contexts, 0 where not chosen.
        points: (M, 2) where they are, xy in [0, 1] of the picture.
        distances: (N, M) squared, by which Eq. 6 chose.
    """

    layer: int
    weights: Floats
    points: Floats
    distances: Floats


class Reading:
    """What a model made of P pictures.

    Args:
        layers: outputs of the decoder layers.
        size: (height, width) of the pictures before they were transformed.
        emotions: how logits read.
    """

    def __init__(self, layers: Sequence[LayerOutput], size: tuple[int, int], emotions: Emotions) -> None:
        self._layers = layers
        self._emotions = emotions
        last = layers[-1]
        self._people: list[Instances] = postprocess(last.logits, last.boxes, [size] * len(last.logits), emotions)

    def speakers(self, picture: int, people: Tensor) -> list[int]:
        """The subject that speaks for each person under the strict protocol (IoU of at least 0.5); ``MISSED`` for none.

        Args:
            people: (n, 4) annotated boxes, xyxy in pixels of the picture.
        """
        found = self._people[picture]
        scores = self._emotions.mean_scores(found.pred_logits)
        return [int(subject) for subject in StrictProtocol().match(found.pred_boxes.tensor, scores, people)]

    def probabilities(self, picture: int) -> Floats:
        """(N, K)."""
        return _floats(self._people[picture].emotion_probs)

    def choices(self, picture: int) -> list[Choices]:
        """Of every layer that took anything in."""
        return [
            Choices(number, _floats(weights), _floats(context_points(layer)[picture]), _floats(distances))
            for number, layer in enumerate(self._layers, start=1)
            if layer.aggregation is not None
            for weights, distances in [(layer.aggregation.weights[picture], layer.aggregation.nearest.scores[picture])]
            if weights.any()
        ]


class Reader:
    """A model ready to read.

    Args:
        model: in evaluation mode.
        emotions: its label set.
        transforms: what evaluation does to a picture.
    """

    def __init__(self, model: DSCT, emotions: Emotions, transforms: Transform) -> None:
        self._model, self._transforms = model, transforms
        self.emotions = emotions

    @torch.inference_mode()
    def __call__(self, pictures: Sequence[Image.Image]) -> Reading:
        """Read pictures of one size, together."""
        inputs = [self._transforms(make_scene(F.pil_to_tensor(picture), []))["image"] for picture in pictures]
        layers = self._model.decode([image.as_subclass(Tensor) for image in inputs])
        return Reading(layers, (pictures[0].height, pictures[0].width), self.emotions)


def context_points(layer: LayerOutput) -> Tensor:
    """(P, M, 2) xy in [0, 1] of the picture, where the contexts of a layer are that fuses; of hosts without references
    (DETR) where Eq. 6 takes them to be."""
    if layer.context_references.shape[-1]:
        return layer.context_references[..., :2]
    assert layer.aggregation is not None
    return layer.aggregation.places.contexts


def _floats(tensor: Tensor) -> Floats:
    return np.asarray(tensor.detach().double().cpu().numpy())
