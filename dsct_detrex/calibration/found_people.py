"""The people of a split and what the model says of them, collected as an evaluator collects.

Who is who is decided by the strict protocol of the evaluation (``evaluation/protocols.py``): after non-maximum
suppression one prediction for one annotated person, the closest pairs first, with an IoU of at least 0.5.

* An annotated person without such a partner has no probabilities. They are left out of temperature, ECE and Brier
  score, and count as not said in every recall, since no threshold brings them back.
* A prediction without a partner has no annotation. It is left out everywhere, precision included: whether somebody whom
  nobody annotated shows an emotion is not known. Precision therefore is that of what is said of annotated people.

Shapes: P annotated people, F of them found, K emotion categories.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dsct_detrex.evaluation import StrictProtocol
from dsct_detrex.evaluation.protocols import MISSED
from dsct_detrex.structures import Emotions

CONFIDENT = 0.3
"""That somebody is a person, from which ``Predictor`` shows them unless told otherwise."""


class FoundPeople:
    """An evaluator (``engine.contracts.Evaluator``) that keeps logits and annotations.

    Args:
        emotions: how targets read.
        protocol: decides who is who.

    Attributes:
        images: seen so far.
        unmatched: predictions without a partner so far that ``dsct predict`` shows unless told otherwise, which are
            those that survive suppression with a confidence of at least ``CONFIDENT``.
    """

    def __init__(self, emotions: Emotions, protocol: StrictProtocol) -> None:
        self.emotions = emotions
        self.protocol = protocol
        self.reset()

    def reset(self) -> None:
        self.images = self.unmatched = 0
        self._logits = [torch.zeros(0, self.emotions.num_emotions)]
        self._targets = [torch.zeros(0, self.emotions.num_emotions)]
        self._found = [torch.zeros(0, dtype=torch.bool)]

    def process(self, inputs: Sequence[Mapping[str, Any]], outputs: Sequence[Mapping[str, Any]]) -> None:
        """Add a batch, see ``EmotionEvaluator.process``.

        Raises:
            ValueError: a prediction of a person who is found is not finite.
        """
        for image, output in zip(inputs, outputs, strict=True):
            truth, predictions = image["ground_truth"].to("cpu"), output["instances"].to("cpu")
            boxes, logits = predictions.pred_boxes.tensor.detach(), predictions.pred_logits.detach().float()
            sorted_by = self.emotions.mean_scores(logits)
            query = self.protocol.match(boxes, sorted_by, truth.gt_boxes.tensor)
            found = query != MISSED
            self._add(logits[query[found]], self.emotions.multi_hot(truth.get(self.emotions.target_field)), found)
            given = predictions.scores if predictions.has("scores") else self.emotions.subject_scores(logits)
            confident = (given >= CONFIDENT).nonzero().flatten().tolist()
            kept = set(self.protocol.candidates(boxes, sorted_by).tolist())
            self.images += 1
            self.unmatched += len(kept.intersection(confident).difference(query[found].tolist()))

    def _add(self, logits: Tensor, targets: Tensor, found: Tensor) -> None:
        if not logits.isfinite().all():
            raise ValueError("FoundPeople.process(outputs=) expects finite logits. Got NaN or inf.")
        self._logits.append(logits[:, : self.emotions.num_emotions])
        self._targets.append(targets)
        self._found.append(found)

    def evaluate(self) -> dict[str, dict[str, float]]:
        """Nothing: what was collected is read from the attributes."""
        return {}

    @property
    def logits(self) -> NDArray[np.float64]:
        """(F, K) class logits of those who are found."""
        return torch.cat(self._logits).double().numpy()

    @property
    def targets(self) -> NDArray[np.int64]:
        """(P, K) 0/1."""
        return torch.cat(self._targets).numpy().astype(np.int64)

    @property
    def found(self) -> NDArray[np.bool_]:
        """(P,) whether the person is found."""
        return torch.cat(self._found).numpy()
