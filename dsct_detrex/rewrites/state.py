"""What of the surroundings decides whether a rewrite may act."""

import torch
from torch import Tensor


def autocasting(x: Tensor) -> bool:
    """Whether autocast would choose another dtype for products of ``x`` here."""
    return torch.is_autocast_enabled(x.device.type)
