"""What the engine asks of the objects it is given: loaders, evaluators, models, as small protocols.

The engine builds none of them itself; anything that behaves like this trains, ours, detrex's or a toy in a test.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

Batch = list[dict[str, Any]]
"""One batch: model inputs with the keys ``image, height, width, image_id, file_name`` and ``instances``."""

Scalars = dict[str, float]
"""Numbers of one moment by their detectron2 names, e.g. ``{"loss_class": 1.2, "lr": 1e-4, "emotion/mAP": 0.3}``."""


class TrainLoader(Protocol):
    """Endless stream of batches.

    It may have ``steps_per_epoch: int`` (batches that make one pass over the data on this number of processes); only
    then can a run be planned in epochs. It may have ``num_workers: int``, the processes that read pictures.
    """

    def __iter__(self) -> Iterator[Batch]: ...


@runtime_checkable
class Resumable(Protocol):
    """A part whose position survives a restart; ``state_dict`` holds plain values and tensors only.

    A loader may say ``position_of_all = True``: its position means the same on every process and on any number of them,
    so that a run which goes on with more or fewer processes keeps its place in the data.
    """

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: dict[str, Any]) -> Any: ...


class TestLoader(Protocol):
    """Finite stream of batches: this process's share of the evaluation set.

    It may have ``num_images: int``, the pictures of that share, by which progress is counted then.
    """

    def __iter__(self) -> Iterator[Batch]: ...

    def __len__(self) -> int: ...


class Evaluator(Protocol):
    """Collects predictions and turns them into numbers, in detectron2's three calls.

    After ``evaluate`` it may have ``report``, a JSON-serialisable dict with everything measured; the engine writes it
    to ``evaluation.json`` and reads ``report["thresholds"]`` for the release.

    Where it has them, these are called too (``EmotionEvaluator`` has): ``describe_dataset(Headline)`` before anything
    is evaluated; ``note_shortfall(unreadable, examples, cut_short, first)`` before ``evaluate``; ``metric_names()``,
    against which ``train.best.metric`` is checked before the first step.
    """

    def reset(self) -> None: ...

    def process(self, inputs: Sequence[Mapping[str, Any]], outputs: Sequence[Mapping[str, Any]]) -> None: ...

    def evaluate(self) -> Mapping[str, Mapping[str, float]] | None: ...
