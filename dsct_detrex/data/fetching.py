"""What a worker process does: a number in the data set becomes a model input, and trouble becomes a value.

User errors travel back to the process that trains as values, not as tracebacks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from PIL import Image
from torch.utils.data import Dataset as TorchDataset

from dsct_detrex.data.checks import OnError
from dsct_detrex.data.dataset import EmotionDataset, Record, load_reduced
from dsct_detrex.data.images import SKIP_IN_PYTHON, ImageError
from dsct_detrex.data.order import Draw, Size, seed_of
from dsct_detrex.errors import UserError

Mapper = Callable[[Record, Image.Image], dict[str, Any]]

_ATTEMPTS = 20
"""Broken pictures in a row, drawn at random, after which training gives up on the data set."""


@dataclass
class Fetched:
    """What reading one image gave: a model input, or none; the broken pictures met; or the error to stop with."""

    model_input: dict[str, Any] | None = None
    broken: list[str] = field(default_factory=list)
    failure: UserError | None = None

    def pin_memory(self) -> Fetched:
        """Called by ``DataLoader``: the pixels move to page-locked memory, the rest is small."""
        if self.model_input is not None:
            self.model_input["image"] = self.model_input["image"].pin_memory()
        return self


class Images(TorchDataset[Fetched]):
    """What the worker processes run: ``Draw`` -> ``Fetched``. User errors travel back as values, not as tracebacks."""

    def __init__(
        self, dataset: EmotionDataset, mapper: Mapper, on_error: OnError, replace: bool, draft: bool = False
    ) -> None:
        self.dataset = dataset
        self._mapper = mapper
        self._on_error = on_error
        self._replace = replace
        self._draft = draft and hasattr(dataset, "load_reduced")

    def size_of(self, index: int) -> Size:
        """(width, height) that image ``index`` is resized to, or that of the picture where the mapper does not say."""
        record = self.dataset.record(index)
        return self._first_size(record) or (record.get("width", 0), record.get("height", 0))

    def _first_size(self, record: Record) -> Size | None:
        first_size: Callable[[Record], Size | None] | None = getattr(self._mapper, "first_size", None)
        return None if first_size is None else first_size(record)

    def __getitem__(self, draw: Draw) -> Fetched:
        try:
            with _seeded(draw.seed):
                return self._fetch(draw)
        except ImageError as error:
            return Fetched(failure=error.with_skip(SKIP_IN_PYTHON))
        except UserError as error:
            return Fetched(failure=UserError(str(error)))

    def _fetch(self, draw: Draw) -> Fetched:
        index, broken = draw.image, list[str]()
        for attempt in range(_ATTEMPTS):
            record = self.dataset.record(index)
            try:
                picture = load_reduced(self.dataset, index, self._first_size(record) if self._draft else None)
                found = self._mapper(record, picture)
                return Fetched(found if self._replace else {**found, "index": index}, broken)
            except ImageError as error:
                if self._on_error == "raise":
                    raise
                broken.append(record["file_name"])
                last = error
            if not self._replace:
                return Fetched(broken=broken)
            index = seed_of(draw.seed, attempt) % len(self.dataset)
        raise UserError(f"{self.dataset.name}: {_ATTEMPTS} images in a row cannot be used, the last: {last}")


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Torch's CPU generator seeded inside, as it was outside; the generators of GPUs are not touched."""
    outside = torch.random.get_rng_state()
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        torch.random.set_rng_state(outside)
