"""One look at a picture: what a model sees in it, computed once, before any threshold of the page.

Shapes: N subjects, M contexts, Q = M + N queries (contexts first), L layers, n people after suppression, P sampling
points of a query.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from dsct_detrex.data.images import Photo
from dsct_detrex.dsct import DSCT, Observation
from dsct_detrex.dsct.images import original_size
from dsct_detrex.dsct.postprocess import postprocess
from dsct_detrex.prediction import Prediction, Predictor

NO_OBSERVER = "This kind of model does not tell what it looks at; it predicts all the same."
NO_CONTEXTS = "This model uses no contexts: it is a baseline that sees people alone."
NO_CHOICE = "The fusion of this model chooses no contexts."
NO_FUSION = "This layer takes in no contexts: they are fused in other layers of this model."


@dataclass(frozen=True)
class Contexts:
    """The contexts that the subjects of one layer chose.

    Attributes:
        places: (M, 2) xy in [0, 1] of the upright picture.
        weights: (N, M) what each counted; 0 where not chosen.
        nearest: (N, M) bool, chosen by distance (Eq. 6).
        relevant: (N, M) bool, chosen by relevance (Eq. 7).
    """

    places: Tensor
    weights: Tensor
    nearest: Tensor
    relevant: Tensor


@dataclass(frozen=True)
class Points:
    """Where the queries of one layer read the picture: contexts first, then subjects.

    Attributes:
        references: (Q, 2) xy in [0, 1] of the upright picture, where each query is.
        places: (Q, P, 2) likewise; points may lie outside.
        weights: (Q, P) of sum 1, what each counted for its query.
        num_contexts: M.
    """

    references: Tensor
    places: Tensor
    weights: Tensor
    num_contexts: int


@dataclass(frozen=True)
class Layer:
    """What one decoder layer looked at, or a sentence that says why that cannot be shown."""

    contexts: Contexts | str
    points: Points | str


@dataclass(frozen=True)
class Look:
    """What a model saw in one picture.

    Attributes:
        people: everybody, the most confident first, however unlikely; suppression of overlaps is done. Their field
            ``query`` is the number of the subject query that found each, in [0, N).
        layers: L; empty where the model does not tell.
    """

    people: Prediction
    layers: tuple[Layer, ...]

    def shown(self, confidence: float, emotion_threshold: float | None = None) -> Prediction:
        """The people of at least this confidence, which are the first of ``people``.

        Args:
            confidence: in [0, 1].
            emotion_threshold: least probability of an emotion that is shown; None: those of the checkpoint.
        """
        found = self.people[self.people.scores >= confidence]
        if emotion_threshold is None:
            return found
        return replace(found, emotion_thresholds=(emotion_threshold,) * found.emotions.num_emotions)

    def with_photo(self, photo: Photo) -> Look:
        """The same, drawn on other pixels of the same frame."""
        return replace(self, people=replace(self.people, photo=photo))

    def query(self, person: int) -> int:
        """The number of the subject query that found a person of ``people``."""
        return int(self.people.instances.get("query")[person])


def num_layers(predictor: Predictor) -> int:
    """L of the looks of a predictor; 0 where its model does not tell."""
    return len(predictor.model.decoder.layers) if isinstance(predictor.model, DSCT) else 0


@torch.inference_mode()
def look_at(photo: Photo, name: str, predictor: Predictor) -> Look:
    """Predict on a picture, and keep what was seen on the way.

    Args:
        photo: the picture, with all its pixels.
        name: what the results call it.
        predictor: of threshold 0, so that the page can choose one later.
    """
    entry = predictor.model_input(photo)
    if not isinstance(predictor.model, DSCT):
        people = predictor.model([entry])[0]["instances"]
        layers: tuple[Layer, ...] = ()
    else:
        seen = predictor.model.observe([entry["image"]])
        last = seen.layers[-1]
        (people,) = postprocess(last.logits, last.boxes, [original_size(entry)], predictor.emotions)
        layers = tuple(_layer(seen, index) for index in range(len(seen.layers)))
    people = people.to("cpu")
    people.set("query", torch.arange(len(people)))
    found = predictor.keep(people)
    return Look(Prediction(found, predictor.emotions, predictor.emotion_thresholds, name, photo), layers)


def _layer(seen: Observation, index: int) -> Layer:
    return Layer(_contexts(seen, index), _points(seen, index))


def _contexts(seen: Observation, index: int) -> Contexts | str:
    aggregation, places = seen.layers[index].aggregation, seen.places[index]
    if not seen.num_contexts:
        return NO_CONTEXTS
    if aggregation is None or places is None:
        return NO_FUSION if any(layer.aggregation for layer in seen.layers) else NO_CONTEXTS
    if not (aggregation.nearest.k or aggregation.relevant.k):
        return NO_CHOICE
    chosen = (aggregation.weights, aggregation.nearest.mask, aggregation.relevant.mask)
    weights, nearest, relevant = (tensor[0].cpu() for tensor in chosen)
    return Contexts(places[0, : seen.num_contexts].cpu(), weights, nearest, relevant)


def _points(seen: Observation, index: int) -> Points | str:
    if seen.sampling is None:
        return seen.no_sampling
    sampling, layer = seen.sampling[index], seen.layers[index]
    references = torch.cat([layer.context_references, layer.subject_references], 1)[0, :, :2].cpu()
    places, weights = sampling.locations[0].cpu(), sampling.weights[0].cpu()
    heads = weights.shape[1]
    return Points(references, places.flatten(1, 3), weights.flatten(1) / heads, seen.num_contexts)
