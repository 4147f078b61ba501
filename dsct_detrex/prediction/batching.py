"""Pictures of one size together, results in the order of the pictures: what lies between a stream and a model.

A batch is run as soon as it is full. Until then later pictures are read, up to ``AHEAD`` batches of them or
``PIXELS_AHEAD`` pixels beyond the first batch; then the picture that has waited longest goes with those of its size
and, while there is room, those whose size is so near that little of the batch is padding.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

AHEAD = 4
PIXELS_AHEAD = 50_000_000
"""150 MB of RGB."""
_NEAR = 0.9
"""Least share of two pictures, of the frame that holds either, that is not padding."""

Size = tuple[int, int]


@dataclass
class Waiting(Generic[T, R]):
    """An item on its way through.

    Attributes:
        item: what it is.
        size: (height, width) of what the model reads; None goes past the model.
        pixels: that it holds in memory.
        result: of the model, once it is there.
    """

    item: T
    size: Size | None
    pixels: int = 0
    result: list[R] = field(default_factory=list)

    @property
    def ready(self) -> bool:
        return self.size is None or bool(self.result)


def batched_by_size(
    items: Iterable[Waiting[T, R]], run: Callable[[Sequence[T]], Sequence[R]], batch_size: int
) -> Iterator[Waiting[T, R]]:
    """Each item with its result, in the order of ``items``.

    Args:
        run: results of up to ``batch_size`` items.
        batch_size: at least 1.
    """
    queue: deque[Waiting[T, R]] = deque()

    def predict(batch: Sequence[Waiting[T, R]]) -> None:
        for one, result in zip(batch, run([one.item for one in batch]), strict=True):
            one.result.append(result)

    for item in items:
        queue.append(item)
        same = [one for one in queue if not one.ready and one.size == item.size]
        if len(same) == batch_size:
            predict(same)
        while queue and (queue[0].ready or _is_full(queue, batch_size)):
            if not queue[0].ready:
                predict(_company(queue, batch_size))
            yield queue.popleft()
    while queue:
        if not queue[0].ready:
            predict(_company(queue, batch_size))
        yield queue.popleft()


def _is_full(queue: Sequence[Waiting[T, R]], batch_size: int) -> bool:
    """Whether no more may be read before the first of them is done."""
    many = len(queue) >= AHEAD * batch_size
    return many or (len(queue) >= batch_size and sum(one.pixels for one in queue) >= PIXELS_AHEAD)


def _company(queue: Sequence[Waiting[T, R]], batch_size: int) -> list[Waiting[T, R]]:
    """The first of a queue and those that go with it, the nearest in size first."""
    size = queue[0].size
    assert size is not None
    shares = [(_share(size, one.size), one) for one in queue if one.size is not None and not one.ready]
    near = [(share, one) for share, one in shares if share >= _NEAR]
    return [one for _, one in sorted(near, key=lambda pair: -pair[0])[:batch_size]]


def _share(a: Size, b: Size) -> float:
    """The part of the frame around both that the smaller fills; 1 where they are equal."""
    frame = max(a[0], b[0]) * max(a[1], b[1])
    return min(a[0] * a[1], b[0] * b[1]) / max(frame, 1)
