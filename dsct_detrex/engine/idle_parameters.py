"""Trainable weights that the first step did not reach: announced, or refused where several processes would stumble.

Such a weight never changes, which is easily overlooked. DistributedDataParallel with ``find_unused_parameters=False``
waits for its gradient and complains only in the second step, in words that name no weight.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn
from torch.nn.parallel import DistributedDataParallel

from dsct_detrex.errors import UserError
from dsct_detrex.weights import folded

_REMEDY = "Freeze them (those of a host with model.host_training.frozen=[...])"


def announce_idle(model: nn.Module, names: Sequence[str]) -> str | None:
    """What to tell the user about weights without a gradient.

    Args:
        model: as it is trained, possibly wrapped for several processes.
        names: trainable weights of it whose gradient is None after the first backward pass.

    Returns:
        One line, or None if there are none.

    Raises:
        UserError: the wrapper waits for the gradient of every weight.
    """
    if not names:
        return None
    listed = folded(names)
    if isinstance(model, DistributedDataParallel) and not model.find_unused_parameters:
        raise UserError(
            "train.ddp.find_unused_parameters=False expects a gradient for every trainable weight; the first step gave "
            f"none to {len(names)}: {listed}. {_REMEDY}, or set train.ddp.find_unused_parameters=True."
        )
    return (
        f"note: the first step gave no gradient to {len(names)} trainable weights: {listed}. They stay as they are. "
        f"{_REMEDY} to say so."
    )
