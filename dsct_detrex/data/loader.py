"""Batches for training and evaluation: lists of model inputs, made by worker processes or here.

What a batch holds is decided by ``data/order.py``, and ``data/fetching.py`` reads the images. A picture that cannot be
used either stops the program with its sentence, also when a worker process met it, or (``on_error="skip"``) is left out
and counted in ``report``: training takes another image in its place, evaluation goes on without.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import torch
from torch import distributed
from torch.utils.data import DataLoader

from dsct_detrex.data.checks import DataReport, check_on_error
from dsct_detrex.data.dataset import EmotionDataset
from dsct_detrex.data.fetching import Fetched, Images
from dsct_detrex.data.mapper import DatasetMapper
from dsct_detrex.data.order import EvalOrder, TrainOrder
from dsct_detrex.errors import UserError

Batch = list[dict[str, Any]]
PinMemory = bool | Literal["auto"]

_OF_A_DATASET = ("emotions", "name", "record", "load_image", "__len__")


class TrainLoader:
    """An endless iterable of batches; a resumed one continues with the batch the first run would have seen next.

    Attributes:
        dataset: all of it.
        steps_per_epoch: batches until every image was seen once.
        iteration: number of the next batch, counted from 0 at the start of training.
        num_workers: processes that read images.
        report: pictures skipped so far.
        position_of_all: batches are counted over all processes, so the position holds on any number of them.
    """

    position_of_all = True

    def __init__(self, order: TrainOrder, images: Images, num_workers: int, pin_memory: PinMemory) -> None:
        _check_workers(num_workers, "build_train_loader")
        self.dataset = images.dataset
        self.steps_per_epoch = order.steps_per_epoch
        self.iteration = 0
        self.num_workers = num_workers
        self.report = DataReport(f"{images.dataset.name} while training")
        self._order = order
        self._images = images
        self._pin_memory = pin_memory

    def __iter__(self) -> Iterator[Batch]:
        self._order.start = self.iteration
        for batch in _batches(self._images, self._order, self.num_workers, self._pin_memory, self.report):
            self.iteration += 1
            yield batch

    def set_start(self, iteration: int) -> None:
        """Let the next ``iter()`` begin with batch ``iteration``."""
        if iteration < 0:
            raise ValueError(f"TrainLoader.set_start(iteration=) expects 0 or more. Got {iteration}.")
        self.iteration = iteration

    def state_dict(self) -> dict[str, int]:
        """``{"iteration": number of the next batch}``."""
        return {"iteration": self.iteration}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self.set_start(state["iteration"])


class EvalLoader:
    """A finite iterable over this process's share of a data set; ``len`` counts batches.

    Every model input carries its ``index`` in the data set, for batches of more than one image join equal sizes
    (``data/order.py``).

    Attributes:
        dataset: all of it.
        num_images: of this process.
        report: pictures skipped in the latest pass.
    """

    def __init__(self, order: EvalOrder, images: Images, num_workers: int, pin_memory: PinMemory) -> None:
        _check_workers(num_workers, "build_test_loader")
        self.dataset = images.dataset
        self.report = DataReport(f"{images.dataset.name} while evaluating")
        self.num_images = order.num_images
        self._order = order
        self._images = images
        self._num_workers = num_workers
        self._pin_memory = pin_memory

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[Batch]:
        self.report = DataReport(self.report.title)
        batches = _batches(self._images, self._order, self._num_workers, self._pin_memory, self.report)
        yield from (batch for batch in batches if batch)


def build_train_loader(
    dataset: EmotionDataset,
    mapper: DatasetMapper,
    total_batch_size: int,
    num_workers: int = 2,
    seed: int = 0,
    on_error: str = "raise",
    drop_last: bool = True,
    pin_memory: PinMemory = "auto",
    draft: bool = True,
    rank: int | None = None,
    world_size: int | None = None,
) -> TrainLoader:
    """The training loader of this process.

    Args:
        dataset, mapper: must speak of the same emotions.
        total_batch_size: images per step over all processes.
        num_workers: processes that read images; 0 reads them here. The batches are the same for any number.
        seed: of order and augmentation.
        on_error: ``"raise"`` or ``"skip"`` for pictures that cannot be used.
        drop_last: see ``data/order.py``.
        pin_memory: put images into page-locked memory, from which a GPU fetches them while it works; ``"auto"`` where
            this process uses one.
        draft: decode a JPEG at 1/2, 1/4 or 1/8 of its size where the augmentation makes it smaller still: faster, and
            other pixels by a hair.
        rank, world_size: of this process; None asks ``torch.distributed``, and is a single process without it.

    Raises:
        UserError: arguments that do not go together; says which.
    """
    policy = check_on_error(on_error, "build_train_loader")
    _check_pin_memory(pin_memory, "build_train_loader")
    _check_emotions(dataset, mapper)
    rank, world_size = _place(rank, world_size)
    order = TrainOrder(len(dataset), total_batch_size, seed, drop_last, rank, world_size)
    return TrainLoader(order, Images(dataset, mapper, policy, replace=True, draft=draft), num_workers, pin_memory)


def build_test_loader(
    dataset: EmotionDataset,
    mapper: DatasetMapper,
    batch_size: int = 1,
    num_workers: int = 2,
    on_error: str = "raise",
    pin_memory: PinMemory = "auto",
    draft: bool = False,
    rank: int | None = None,
    world_size: int | None = None,
) -> EvalLoader:
    """The evaluation loader of this process.

    Args:
        dataset, mapper: must speak of the same emotions.
        batch_size: images per step of this process, of one size after resizing where there are enough of them.
        num_workers: processes that read images; 0 reads them here.
        on_error: ``"raise"`` or ``"skip"`` for pictures that cannot be used.
        pin_memory: put images into page-locked memory, from which a GPU fetches them while it works; ``"auto"`` where
            this process uses one.
        draft: decode a JPEG at 1/2, 1/4 or 1/8 of its size where that is enough: faster, but scores move by a hair.
        rank, world_size: of this process; None asks ``torch.distributed``, and is a single process without it.
    """
    policy = check_on_error(on_error, "build_test_loader")
    _check_pin_memory(pin_memory, "build_test_loader")
    _check_emotions(dataset, mapper)
    images = Images(dataset, mapper, policy, replace=False, draft=draft)
    order = EvalOrder(len(dataset), batch_size, *_place(rank, world_size), size_of=images.size_of)
    return EvalLoader(order, images, num_workers, pin_memory)


def _batches(
    images: Images, order: TrainOrder | EvalOrder, num_workers: int, pin_memory: PinMemory, report: DataReport
) -> Iterator[Batch]:
    """Read what ``order`` says; count skipped pictures; turn a worker's failure into this process's error."""
    loader = DataLoader(
        images,
        batch_sampler=order,
        num_workers=num_workers,
        collate_fn=list,
        pin_memory=_pins(pin_memory),
        generator=torch.Generator(),  # else starting the workers would advance torch's global generator
    )
    for fetched in _with_advice(iter(loader)):
        batch = []
        for one in fetched:
            if one.failure is not None:
                raise one.failure
            for file_name in one.broken:
                report.count("unreadable_images", file_name)
            if one.model_input is not None:
                batch.append(one.model_input)
        report.images += len(batch)
        yield batch


def _pins(asked: PinMemory) -> bool:
    """Whether to pin: where it is asked for and there is a GPU; ``auto`` where this process has begun to use one."""
    if asked == "auto":
        return bool(torch.cuda.is_initialized())  # type: ignore[no-untyped-call]
    return asked and torch.cuda.is_available()


def _with_advice(batches: Iterator[list[Fetched]]) -> Iterator[list[Fetched]]:
    while True:
        try:
            yield next(batches)
        except StopIteration:
            return
        except RuntimeError as error:
            if "DataLoader worker" not in str(error):
                raise
            raise UserError(
                f"A worker process that reads images died ({' '.join(str(error).split())}). Usually memory ran out: "
                "use fewer num_workers (dataloader.train.num_workers, dataloader.test.num_workers), or 0, or give a "
                "container more shared memory (--shm-size)."
            ) from error


def _place(rank: int | None, world_size: int | None) -> tuple[int, int]:
    running = distributed.is_available() and distributed.is_initialized()
    if rank is None:
        rank = distributed.get_rank() if running else 0
    if world_size is None:
        world_size = distributed.get_world_size() if running else 1
    return rank, world_size


def _check_workers(num_workers: int, owner: str) -> None:
    if num_workers < 0:
        raise UserError(f"{owner}(num_workers=) expects 0 (read here) or more processes. Got {num_workers}.")


def _check_pin_memory(pin_memory: object, owner: str) -> None:
    if pin_memory not in (True, False, "auto"):
        raise UserError(f"{owner}(pin_memory=) expects True, False or auto. Got {pin_memory!r}.")


def _check_emotions(dataset: EmotionDataset, mapper: DatasetMapper) -> None:
    missing = [name for name in _OF_A_DATASET if not hasattr(dataset, name)]
    if missing:
        raise UserError(
            f"dataset= of a loader expects an EmotionDataset ({', '.join(_OF_A_DATASET)}; see data/dataset.py). "
            f"{type(dataset).__name__} lacks {', '.join(missing)}."
        )
    if dataset.emotions.name != mapper.emotions.name:
        raise UserError(
            f"The loader of {dataset.name} has {dataset.emotions.name} people, but its mapper writes "
            f"{mapper.emotions.name} targets. Use the same emotions in both."
        )
