"""Several processes as one run: the process group, who is rank 0, and the wrapped model.

A run is distributed when torchrun's environment (``RANK``, ``WORLD_SIZE``, ``LOCAL_RANK``) is there; ``launch.py``
has the same set for ``--num-gpus``. Everything here also works, as the identity, in a run of one process.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from dsct_detrex.cli.running import under_torchrun as under_torchrun
from dsct_detrex.engine.settings import Ddp

T = TypeVar("T")


def local_rank() -> int:
    """This process's number on its machine, 0 when it is alone."""
    return int(os.environ.get("LOCAL_RANK", "0")) if under_torchrun() else 0


def world_size() -> int:
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    return dist.get_rank() if dist.is_initialized() else 0


def is_main() -> bool:
    return rank() == 0


@contextmanager
def process_group(device: torch.device) -> Iterator[None]:
    """Join the other processes for the duration of the block; a run of one, or a group joined before, is left alone."""
    if not under_torchrun() or dist.is_initialized():
        yield
        return
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield
    finally:
        dist.destroy_process_group()


def gather(value: T) -> list[T]:
    """The values of all ranks, in rank order, on every rank; they must pickle."""
    if world_size() == 1:
        return [value]
    values: list[T | None] = [None] * world_size()
    dist.all_gather_object(values, value)
    return values  # type: ignore[return-value]  # every place was filled


def from_main(value: T) -> T:
    """Rank 0's value on every rank."""
    if world_size() == 1:
        return value
    values = [value]
    dist.broadcast_object_list(values, src=0)
    return values[0]


def wrap(model: nn.Module, settings: Ddp, device: torch.device) -> nn.Module:
    """The model as all ranks train it: DistributedDataParallel, or the model itself in a run of one."""
    if world_size() == 1:
        return model
    # torch 2.14 gives the switch another name; either way ranks start with equal buffers, for they build equal models.
    known = inspect.signature(DistributedDataParallel).parameters
    switch = "forward_sync_buffers" if "forward_sync_buffers" in known else "broadcast_buffers"
    options: dict[str, Any] = {switch: settings.broadcast_buffers}
    wrapped = DistributedDataParallel(
        model,
        device_ids=[device.index] if device.type == "cuda" else None,
        find_unused_parameters=settings.find_unused_parameters,
        **options,
    )
    if settings.fp16_compression:
        from torch.distributed.algorithms.ddp_comm_hooks.default_hooks import fp16_compress_hook

        wrapped.register_comm_hook(state=None, hook=fp16_compress_hook)
    return wrapped


def unwrap(model: nn.Module) -> nn.Module:
    return model.module if isinstance(model, DistributedDataParallel) else model


def without_sync(model: nn.Module) -> AbstractContextManager[None]:
    """Backward passes inside leave the gradients on their rank: for every batch of an iteration but its last."""
    return model.no_sync() if isinstance(model, DistributedDataParallel) else nullcontext()
