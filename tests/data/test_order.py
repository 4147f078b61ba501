"""Which images make which batch: properties of the order, without reading any image."""

from __future__ import annotations

from itertools import islice

import pytest

from dsct_detrex.data.order import Draw, EvalOrder, TrainOrder, seed_of
from dsct_detrex.errors import UserError


def batches(count: int, start: int = 0, **arguments: int) -> list[list[Draw]]:
    settings = {"num_images": 10, "total_batch_size": 4, "seed": 3, "drop_last": False, **arguments}
    order = TrainOrder(**settings)  # type: ignore[arg-type]
    order.start = start
    return list(islice(order, count))


@pytest.mark.parametrize(
    ("num_images", "batch", "drop_last", "steps"),
    [(10, 4, True, 2), (10, 4, False, 3), (8, 4, True, 2), (8, 4, False, 2), (3, 4, False, 1), (1, 4, False, 1)],
)
def test_steps_per_epoch(num_images: int, batch: int, drop_last: bool, steps: int) -> None:
    assert TrainOrder(num_images, batch, 0, drop_last).steps_per_epoch == steps
    assert all(len(b) == batch for b in batches(5, num_images=num_images, total_batch_size=batch, drop_last=drop_last))


def test_every_epoch_visits_every_image_in_a_new_order() -> None:
    epochs = [[d.image for batch in batches(3, start=3 * e) for d in batch][:10] for e in range(3)]
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]


def test_last_batch_is_filled_from_the_start_of_the_epoch() -> None:
    epoch = [d.image for batch in batches(3) for d in batch]
    assert epoch[10:] == epoch[:2]


def test_drop_last_drops() -> None:
    images = [d.image for batch in batches(2, drop_last=True) for d in batch]
    assert len(set(images)) == 8


def test_tiny_data_set_repeats() -> None:
    draws = batches(1, num_images=2, total_batch_size=6)[0]
    assert sorted(d.image for d in draws) == [0, 0, 0, 1, 1, 1]
    assert len({d.seed for d in draws}) == 6


@pytest.mark.parametrize("start", [0, 1, 2, 3, 7, 11])
def test_start_continues_the_same_sequence(start: int) -> None:
    assert batches(6, start=start) == batches(start + 6)[start:]


def test_seed_decides() -> None:
    assert batches(5) == batches(5)
    assert batches(5) != batches(5, seed=4)


def test_every_draw_has_its_own_seed() -> None:
    seeds = [d.seed for batch in batches(300) for d in batch]
    assert len(set(seeds)) == len(seeds)
    assert all(0 <= seed < 2**63 for seed in seeds)


@pytest.mark.parametrize("world_size", [2, 4])
def test_processes_share_the_batch_of_one(world_size: int) -> None:
    alone = batches(7)
    shards = [batches(7, rank=rank, world_size=world_size) for rank in range(world_size)]
    assert [[d for shard in shards for d in shard[step]] for step in range(7)] == alone
    assert all(len(batch) == 4 // world_size for shard in shards for batch in shard)


def test_batch_must_divide_among_the_processes() -> None:
    with pytest.raises(UserError) as caught:
        TrainOrder(10, 4, 0, False, rank=0, world_size=3)
    assert "total_batch_size=" in str(caught.value)
    assert "positive multiple of the 3 processes. Got 4." in str(caught.value)
    with pytest.raises(UserError, match="Got 0"):
        TrainOrder(10, 0, 0, False)


def test_batch_larger_than_the_data_set() -> None:
    with pytest.raises(UserError, match=r"3 images do not fill one batch of total_batch_size=4: .*drop_last=False"):
        TrainOrder(3, 4, 0, drop_last=True)


@pytest.mark.parametrize("num_images", [0, 1, 5, 12])
@pytest.mark.parametrize("world_size", [1, 3])
@pytest.mark.parametrize("batch_size", [1, 2])
def test_evaluation_sees_every_image_once_in_order(num_images: int, world_size: int, batch_size: int) -> None:
    orders = [EvalOrder(num_images, batch_size, rank, world_size) for rank in range(world_size)]
    assert [d.image for order in orders for batch in order for d in batch] == list(range(num_images))
    assert all(len(order) == len(list(order)) for order in orders)
    assert all(len(batch) <= batch_size for order in orders for batch in order)
    sizes = [sum(map(len, order)) for order in orders]
    assert max(sizes) - min(sizes) <= 1


WIDE, TALL, SQUARE, FLAT = (80, 60), (60, 80), (70, 70), (80, 55)


@pytest.mark.parametrize(
    ("sizes", "batch_size", "expected"),
    [
        ([], 2, []),
        ([TALL, WIDE, TALL, WIDE], 1, [[0], [1], [2], [3]]),
        ([WIDE] * 5, 2, [[0, 1], [2, 3], [4]]),
        ([TALL, WIDE, TALL, WIDE], 2, [[0, 2], [1, 3]]),
        ([TALL, WIDE, WIDE, TALL, WIDE], 2, [[1, 2], [0, 3], [4]]),
        ([TALL, SQUARE, WIDE, FLAT, TALL], 3, [[3, 2, 1], [0, 4]]),  # left over: flat to tall
        ([(0, 0), WIDE, (0, 0)], 2, [[0, 2], [1]]),  # nobody knows their size
    ],
)
@pytest.mark.parametrize("rank", [0, 1])
def test_evaluation_joins_equal_sizes(
    sizes: list[tuple[int, int]], batch_size: int, expected: list[list[int]], rank: int
) -> None:
    """Alone, and as the second of two processes, whose shard begins further on."""
    before = rank * len(sizes)
    order = EvalOrder(len(sizes) * (rank + 1), batch_size, rank, rank + 1, lambda index: sizes[index - before])
    for _ in range(2):
        assert [[d.image - before for d in batch] for batch in order] == expected
    assert len(order) == len(expected)
    assert all(d.seed == d.image for batch in order for d in batch)


def test_sizes_are_not_asked_for_single_images() -> None:
    def never(index: int) -> tuple[int, int]:
        raise AssertionError(index)

    assert len(list(EvalOrder(3, 1, size_of=never))) == 3


def test_evaluation_batch_size_is_checked() -> None:
    with pytest.raises(UserError, match=r"build_test_loader\(batch_size=\) expects a positive number"):
        EvalOrder(3, 0)


def test_seeds_of_neighbours_are_unrelated_and_fixed() -> None:
    assert seed_of(0, 1) != seed_of(1, 0)
    assert seed_of(0, 12) != seed_of(1, 2) != seed_of(0, 1, 2)
    assert seed_of(1, 2, 3) == 2904650318439132554
