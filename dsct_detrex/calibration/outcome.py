"""What a calibration comes to, as JSON types: what stands in a release, on the screen and in the picture.

Keys:

* ``temperature``: of the release from now on; ``note``: why it was kept, else empty.
* ``thresholds_for``: ``"f1"`` or ``"precision=0.8"``.
* ``data``: ``name``, ``split`` (None where the data set does not say), ``description``, ``images``, ``people``,
  ``found``, ``unmatched`` (confident predictions of people whom nobody annotated, left out).
* ``protocol``: who was taken for whom, in a sentence.
* ``before`` and ``after``: ``temperature``, ``NLL`` (``temperature.negative_log_likelihood``), ``ECE``, ``Brier`` and
  ``bins`` (``evaluation.reliability``), and ``per_emotion``: ``label``, ``people`` who show it (found ones), ``ECE``,
  ``Brier``, and the ``value``, ``said``, ``precision``, ``recall``, ``f1``, ``note`` of its ``thresholds.Threshold``.

Shapes: F people who are found, K emotion categories.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from dsct_detrex.calibration.found_people import FoundPeople
from dsct_detrex.calibration.temperature import HOTTEST, fit_temperature, negative_log_likelihood
from dsct_detrex.calibration.thresholds import Threshold, at_threshold, best_f1, of_precision
from dsct_detrex.evaluation.reliability import reliability
from dsct_detrex.structures import Emotions, MultiLabelEmotions

Outcome = dict[str, Any]

_KEPT = (
    f"no temperature from {1 / HOTTEST:g} to {HOTTEST:g} is the most likely, as where everything is said right, or "
    "nothing that is said has to do with the annotations, so it is kept"
)


def calibrated(
    people: FoundPeople, emotions: Emotions, old: Sequence[float], wanted: float | None, data: dict[str, Any]
) -> Outcome:
    """Fit a temperature and choose thresholds.

    Args:
        people: at least one is found.
        emotions: with the temperature until now.
        old: K thresholds until now.
        wanted: a precision, above 0, at most 1; None: the best F1.
        data: ``name``, ``split``, ``description``.
    """
    logits, found, several = people.logits, people.found, isinstance(emotions, MultiLabelEmotions)
    shown, missed = people.targets[found], people.targets[~found].sum(axis=0).tolist()
    fitted = fit_temperature(logits, shown, several)
    temperature = emotions.temperature if fitted is None else fitted
    before, after = (_probabilities(logits, emotions, one) for one in (emotions.temperature, temperature))

    def chosen(k: int) -> Threshold:
        if wanted is None:
            return best_f1(after[:, k], shown[:, k], missed[k], old[k])
        return of_precision(after[:, k], shown[:, k], missed[k], wanted)

    kept = [at_threshold(before[:, k], shown[:, k], missed[k], value) for k, value in enumerate(old)]
    fresh = [chosen(k) for k in range(emotions.num_emotions)]
    counts = {"images": people.images, "people": len(found), "found": int(found.sum()), "unmatched": people.unmatched}
    return {
        "temperature": temperature,
        "note": _KEPT if fitted is None else "",
        "thresholds_for": "f1" if wanted is None else f"precision={wanted:g}",
        "data": {**data, **counts},
        "protocol": people.protocol.sentence,
        **{
            when: {
                "temperature": one,
                "NLL": negative_log_likelihood(logits, shown, one, several),
                **_measured(probabilities, shown, emotions, thresholds),
            }
            for when, one, probabilities, thresholds in (
                ("before", emotions.temperature, before, kept),
                ("after", temperature, after, fresh),
            )
        },
    }


def thresholds_of(outcome: Outcome) -> list[float]:
    """The K thresholds that were chosen."""
    return [row["value"] for row in outcome["after"]["per_emotion"]]


def _probabilities(logits: NDArray[np.float64], emotions: Emotions, temperature: float) -> NDArray[np.float64]:
    """(F, K) as everything else that reads these logits has them."""
    read: NDArray[np.float64] = (
        replace(emotions, temperature=temperature).probabilities(torch.from_numpy(logits)).numpy()
    )
    return read


def _measured(
    probabilities: NDArray[np.float64], shown: NDArray[np.int64], emotions: Emotions, thresholds: Sequence[Threshold]
) -> dict[str, Any]:
    found = reliability(probabilities, shown, emotions.names, isinstance(emotions, MultiLabelEmotions))
    rows = [{**row, **asdict(one)} for row, one in zip(found["per_emotion"], thresholds, strict=True)]
    return {**found, "per_emotion": rows}
