"""The device of a prediction, named as for a training, in sentences that speak of what the caller wrote."""

from __future__ import annotations

import torch

from dsct_detrex.engine.ddp import local_rank
from dsct_detrex.engine.device import choose_device
from dsct_detrex.errors import UserError


def device_named(name: str, asked: str) -> torch.device:
    """The device of that name, see ``choose_device``; of several processes of torchrun each has a GPU of its own.

    Args:
        asked: the flag or argument that the name came with.

    Raises:
        UserError: an unknown name, or a device that is not there.
    """
    try:
        return choose_device(name, local_rank())
    except UserError as error:
        raise UserError(str(error).replace("train.device", asked)) from error
