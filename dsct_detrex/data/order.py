"""Which images make which batch: a pure function of (seed, iteration), the same for any number of processes.

Every epoch visits the data set in a new order. An epoch is a whole number of batches of ``total_batch_size`` images
over all processes: the last batch is filled up from the start of the epoch's own order, or dropped. A training image
is augmented with a seed of its own place in the run, so neither workers nor processes nor resuming change what a model
sees.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import torch

from dsct_detrex.errors import UserError


class Draw(NamedTuple):
    """One image of a batch: its number in the data set, and the seed of its augmentation."""

    image: int
    seed: int


class TrainOrder:
    """The endless sequence of batches of one process.

    Args:
        num_images: of the data set.
        total_batch_size: images per step over all processes.
        seed: of the run.
        drop_last: drop the images that do not fill a batch, instead of filling it up.
        rank, world_size: which process of how many; each takes its own part of every batch.

    Attributes:
        start: the iteration the next ``iter()`` begins with.

    Raises:
        UserError: the batch does not divide among the processes, or is larger than the data set with ``drop_last``.
    """

    def __init__(
        self, num_images: int, total_batch_size: int, seed: int, drop_last: bool, rank: int = 0, world_size: int = 1
    ) -> None:
        if total_batch_size < 1 or total_batch_size % world_size:
            raise UserError(
                f"build_train_loader(total_batch_size=) is the number of images over all processes; it expects a "
                f"positive multiple of the {world_size} processes. Got {total_batch_size}."
            )
        if drop_last and num_images < total_batch_size:
            raise UserError(
                f"build_train_loader: {num_images} images do not fill one batch of "
                f"total_batch_size={total_batch_size}: make the batch smaller, or set drop_last=False."
            )
        self._num_images = num_images
        self._total = total_batch_size
        self._seed = seed
        self._own = slice(rank * total_batch_size // world_size, (rank + 1) * total_batch_size // world_size)
        self.steps_per_epoch = num_images // total_batch_size if drop_last else -(-num_images // total_batch_size)
        self.start = 0

    def __iter__(self) -> Iterator[list[Draw]]:
        epoch, step = divmod(self.start, self.steps_per_epoch)
        while True:
            order = self._epoch_order(epoch)
            for first in range(step * self._total, self.steps_per_epoch * self._total, self._total):
                places = range(first, first + self._total)[self._own]
                yield [Draw(order[place % len(order)], seed_of(self._seed, epoch, place)) for place in places]
            epoch, step = epoch + 1, 0

    def _epoch_order(self, epoch: int) -> list[int]:
        generator = torch.Generator().manual_seed(seed_of(self._seed, epoch, -1))
        order: list[int] = torch.randperm(self._num_images, generator=generator).tolist()
        return order


Size = tuple[int, int]
"""(width, height) of what a model reads, pixels."""


class EvalOrder:
    """The images of one process, each once: contiguous shards of the data set, in its order where batches allow.

    A batch holds images of one size, so that none is padded, as long as there are enough of them; those left over come
    last, beside images of a similar shape. Images of one size all over stay in the order of the data set.

    Args:
        size_of: size of an image by its number in the data set; None takes the images as they come.
    """

    def __init__(
        self,
        num_images: int,
        batch_size: int,
        rank: int = 0,
        world_size: int = 1,
        size_of: Callable[[int], Size] | None = None,
    ) -> None:
        if batch_size < 1:
            raise UserError(f"build_test_loader(batch_size=) expects a positive number of images. Got {batch_size}.")
        self._shard = range(rank * num_images // world_size, (rank + 1) * num_images // world_size)
        self.num_images = len(self._shard)
        self._batch_size = batch_size
        self._size_of = size_of if batch_size > 1 else None

    def __len__(self) -> int:
        return -(-self.num_images // self._batch_size)

    def __iter__(self) -> Iterator[list[Draw]]:
        for batch in self._batches():
            yield [Draw(index, seed=index) for index in batch]

    def _batches(self) -> Iterator[Sequence[int]]:
        left: Sequence[int] = self._shard
        if self._size_of is not None:
            waiting: dict[Size, list[int]] = {}
            for index in self._shard:
                size = self._size_of(index)
                same = waiting.setdefault(size, [])
                same.append(index)
                if len(same) == self._batch_size:
                    yield waiting.pop(size)
            left = [index for size in sorted(waiting, key=_shape) for index in waiting[size]]
        for first in range(0, len(left), self._batch_size):
            yield left[first : first + self._batch_size]


def _shape(size: Size) -> tuple[float, int]:
    """Sorts sizes: from the flattest to the tallest, the smaller of equals first."""
    width, height = size
    return height / max(width, 1), height


def seed_of(*numbers: int) -> int:
    """A 63-bit seed made of several numbers; neighbours give unrelated seeds."""
    digest = hashlib.blake2b(repr(numbers).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 1
