"""Inference over a test set: the model in evaluation mode, its outputs to the evaluator, the numbers back.

Each process runs its share of the images; the evaluator gathers. The model comes back in the mode it had, and random
numbers drawn here do not change the training that continues.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import torch
from torch import nn

from dsct_detrex.data import DataReport
from dsct_detrex.engine import ddp
from dsct_detrex.engine.contracts import Batch, Evaluator, Scalars, TestLoader
from dsct_detrex.engine.loggers.record import Prediction
from dsct_detrex.engine.rng import preserved_rng
from dsct_detrex.structures import Boxes, Instances


class EvaluationCancelled(Exception):
    """``cancel`` asked to stop between two batches; there are no numbers."""


@dataclass(frozen=True)
class Evaluation:
    """``scalars`` are the evaluator's numbers as ``group/name``; ``images`` and ``seconds`` are of this process,
    ``unreadable``, the pictures that the loader skipped, of all."""

    scalars: Scalars
    report: dict[str, Any] | None
    seconds: float
    images: int
    predictions: list[Prediction] = field(default_factory=list)
    unreadable: int = 0


def evaluate_model(
    model: nn.Module,
    loader: TestLoader,
    evaluator: Evaluator,
    *,
    max_batches: int | None = None,
    num_predictions: int = 0,
    on_batch: Callable[[int, int, str], None] | None = None,
    cancel: Callable[[], bool] | None = None,
) -> Evaluation:
    """Evaluate a model.

    Args:
        model: the bare model, not wrapped for several processes.
        max_batches: stop after so many batches; None runs all.
        num_predictions: so many images, the first ones of the data set, are kept with their predictions for pictures.
        on_batch: called after each batch with how many pictures are done, how many there are, and ``"pictures"``; all
            of this process. Counts ``"batches"`` where the loader does not know its pictures, or stops before the last.
        cancel: asked after each batch whether to give up.

    Returns:
        The same ``scalars`` and ``report`` on every rank.

    Raises:
        EvaluationCancelled: ``cancel`` said so; the model has its mode back.
    """
    was_training = model.training
    model.eval()
    evaluator.reset()
    total = len(loader) if max_batches is None else min(max_batches, len(loader))
    pictures: int | None = getattr(loader, "num_images", None) if total == len(loader) else None
    kept = _FirstPictures(num_predictions)
    images = 0
    start = time.perf_counter()
    try:
        with preserved_rng(), torch.no_grad():
            for done, batch in enumerate(islice(loader, total), start=1):
                outputs = model(batch)
                evaluator.process(batch, outputs)
                kept.offer(batch, outputs, images)
                images += len(batch)
                if on_batch is not None:
                    on_batch(*((done, total, "batches") if pictures is None else (images, pictures, "pictures")))
                if cancel is not None and cancel():
                    raise EvaluationCancelled
            unreadable, examples = skipped_pictures(loader)
            if hasattr(evaluator, "note_shortfall"):
                evaluator.note_shortfall(unreadable, examples, total < len(loader), ddp.world_size() == 1)
            results = evaluator.evaluate()
    finally:
        model.train(was_training)
    report = getattr(evaluator, "report", None)
    scalars, report = ddp.from_main((flatten(results or {}), report))
    return Evaluation(scalars, report, time.perf_counter() - start, images, kept.predictions(), unreadable)


class _FirstPictures:
    """The first images of a data set with their predictions, in whatever order the batches bring them.

    An input says with ``index`` where in the data set it is; without, the images are in order.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._kept: dict[int, Prediction] = {}

    def offer(self, batch: Batch, outputs: list[dict[str, Any]], before: int) -> None:
        """Look at a batch that follows ``before`` images."""
        places = [image.get("index", before + number) for number, image in enumerate(batch)]
        first = sorted([*self._kept, *places])[: self._count]
        arrived = {place: Prediction(i, _on_cpu(o)) for place, i, o in zip(places, batch, outputs) if place in first}
        self._kept = {place: one for place, one in {**self._kept, **arrived}.items() if place in first}

    def predictions(self) -> list[Prediction]:
        return [self._kept[place] for place in sorted(self._kept)]


def skipped_pictures(loader: Any) -> tuple[int, list[str]]:
    """How many pictures a loader of ours has left out since its report began, in all processes, and some of them."""
    report = getattr(loader, "report", None)
    own = (
        (report.lost_images, report.examples.get("unreadable_images", []))
        if isinstance(report, DataReport)
        else (0, [])
    )
    shares = ddp.gather(own)
    return sum(count for count, _ in shares), [name for _, names in shares for name in names]


def flatten(results: Mapping[str, Mapping[str, float]]) -> Scalars:
    """``{"emotion": {"mAP": 0.3}}`` -> ``{"emotion/mAP": 0.3}``, detectron2's flat names."""
    return {f"{group}/{name}": float(value) for group, values in results.items() for name, value in values.items()}


def _on_cpu(output: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v.to("cpu") if isinstance(v, torch.Tensor | Boxes | Instances) else v for k, v in output.items()}
