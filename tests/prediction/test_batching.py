"""Equal sizes together, results in order, and no further ahead than was said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import pytest

from dsct_detrex.prediction import batching
from dsct_detrex.prediction.batching import Size, Waiting, batched_by_size

WIDE, TALL, NEAR_WIDE = (60, 80), (80, 60), (58, 80)


class Model:
    """Remembers its batches, by the numbers of their items."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    def __call__(self, items: Sequence[int]) -> list[str]:
        self.batches.append(list(items))
        return [f"result {item}" for item in items]


def results(sizes: Sequence[Size | None], batch_size: int, pixels: int = 0) -> tuple[list[list[int]], list[list[str]]]:
    model = Model()
    items = [Waiting[int, str](number, size, pixels) for number, size in enumerate(sizes)]
    done = list(batched_by_size(items, model, batch_size))
    assert [one.item for one in done] == list(range(len(sizes)))
    return model.batches, [one.result for one in done]


@pytest.mark.parametrize(
    ("sizes", "batch_size", "batches"),
    [
        ([], 2, []),
        ([WIDE], 2, [[0]]),
        ([WIDE, TALL, WIDE], 1, [[0], [1], [2]]),
        ([WIDE] * 5, 2, [[0, 1], [2, 3], [4]]),
        ([WIDE, TALL, WIDE, TALL], 2, [[0, 2], [1, 3]]),
        ([WIDE, None, TALL, TALL], 2, [[2, 3], [0]]),
        ([None, None], 2, []),
        ([WIDE, TALL, NEAR_WIDE], 2, [[0, 2], [1]]),  # near enough, and there is room
        ([NEAR_WIDE, WIDE, WIDE, NEAR_WIDE], 3, [[0, 3, 1], [2]]),  # equal before near
    ],
)
def test_what_goes_together(sizes: list[Size | None], batch_size: int, batches: list[list[int]]) -> None:
    found, texts = results(sizes, batch_size)
    assert found == batches
    assert texts == [[] if size is None else [f"result {number}"] for number, size in enumerate(sizes)]


def read_at_each_result(sizes: Sequence[Size], batch_size: int, pixels: int) -> list[int]:
    read = 0

    def items() -> Iterator[Waiting[int, str]]:
        nonlocal read
        for number, size in enumerate(sizes):
            read += 1
            yield Waiting(number, size, pixels)

    return [read - done for done, _ in enumerate(batched_by_size(items(), Model(), batch_size))]


def test_how_far_ahead_is_read() -> None:
    """Of one size one batch; of many sizes four batches, or fewer where they are large."""
    own = [(10, 10 * 2**number) for number in range(40)]
    assert max(read_at_each_result([WIDE] * 40, 4, 0)) == 4
    assert max(read_at_each_result(own, 4, 0)) == 4 * batching.AHEAD
    assert max(read_at_each_result(own, 4, batching.PIXELS_AHEAD // 6 + 1)) == 6
    assert max(read_at_each_result(own, 4, batching.PIXELS_AHEAD)) == 4


def test_results_come_as_soon_as_they_can() -> None:
    model = Model()
    items = (Waiting[int, str](number, WIDE) for number in range(100))
    list(islice(batched_by_size(items, model, 3), 3))
    assert model.batches == [[0, 1, 2]]
