"""A process of several that is gone: the others learn of it from a broken connection, and say what that means.

Whatever took it (a kill, a lack of memory, a mistake that it told itself), its peers meet an error of the network in
their next exchange, in words that name no cause.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch.distributed as dist

from dsct_detrex.engine import ddp
from dsct_detrex.engine.checkpoint import last_path
from dsct_detrex.errors import UserError, reason_of

_SIGNS = ("gloo", "nccl", "connection closed", "connection reset", "broken pipe")
"""What the errors of torch's backends have in their words where they have no class of their own."""


@contextmanager
def explained(output_dir: Path, trains: bool) -> Iterator[None]:
    """Inside, the loss of another process is one sentence.

    Args:
        output_dir: of the run.
        trains: there may be a checkpoint to go on from.

    Raises:
        UserError: a process is gone, or could not be reached.
    """
    try:
        yield
    except RuntimeError as error:
        if not is_loss(error):
            raise
        raise UserError(
            f"another process of this run ended, or cannot be reached any more ({_first_line(error)}). Its own last "
            f"words say why; one that says nothing was killed, often for memory.{_way_on(output_dir) if trains else ''}"
        ) from error


def is_loss(error: RuntimeError) -> bool:
    """Whether an error of torch says that a peer is gone."""
    if not ddp.under_torchrun():
        return False
    if isinstance(error, dist.DistError):
        return True
    return any(sign in str(error).lower() for sign in _SIGNS)


def _way_on(output_dir: Path) -> str:
    path = last_path(output_dir)
    return (
        f" The last checkpoint is {path}: continue with --resume."
        if path.exists()
        else " There is no checkpoint yet: start again."
    )


def _first_line(error: RuntimeError) -> str:
    """The first sentence, without the place in torch's own sources that it begins with."""
    line = reason_of(error)
    return re.sub(r"^\[[^\]]*\]\s*", "", line).split(". ")[0].rstrip(".")
