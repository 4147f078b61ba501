"""Random states of this process: seeded once, carried in checkpoints, left alone by evaluation."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


def seed_everything(seed: int, rank: int) -> int:
    """Seed python, numpy and torch with ``seed + rank``; a negative seed draws one.

    Returns:
        The seed used, without the rank, so that it can be written down.
    """
    chosen = seed if seed >= 0 else random.SystemRandom().randrange(2**31)
    random.seed(chosen + rank)
    np.random.seed((chosen + rank) % 2**32)  # noqa: NPY002  # the global state is what third-party transforms use
    torch.manual_seed(chosen + rank)
    return chosen


def rng_state() -> dict[str, Any]:
    """The states as tensors and plain values, loadable with ``weights_only=True``."""
    kind, keys, position, has_gauss, cached = np.random.get_state()  # noqa: NPY002
    state: dict[str, Any] = {
        "python": random.getstate(),
        "numpy": [str(kind), torch.from_numpy(np.asarray(keys, dtype=np.int64)), position, has_gauss, cached],
        "torch": torch.get_rng_state(),
    }
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state()
    return state


def set_rng_state(state: dict[str, Any]) -> None:
    """Put back what ``rng_state`` returned."""
    version, internal, gauss = state["python"]
    random.setstate((version, tuple(internal), gauss))
    kind, keys, position, has_gauss, cached = state["numpy"]
    np.random.set_state((kind, keys.numpy().astype(np.uint32), position, has_gauss, cached))  # noqa: NPY002
    torch.set_rng_state(state["torch"])
    if "cuda" in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state["cuda"])


@contextmanager
def preserved_rng() -> Iterator[None]:
    """Whatever is drawn inside, the block after it continues as if nothing had been."""
    state = rng_state()
    try:
        yield
    finally:
        set_rng_state(state)
