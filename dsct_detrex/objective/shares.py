"""What a sum over the pictures of one process is divided by, so that several processes train as one would.

Gradients are averaged over processes. A loss that divides its sum by the share of a process in *all* answers gives, on
average, the sum over all pictures by the number of all answers: a process with fewer people in its pictures, or none,
counts for as much as its pictures do.
"""

from __future__ import annotations

import torch
from torch import Tensor, distributed


def share_of_answers(count: int, device: torch.device) -> float | Tensor:
    """The share of each process in the sum of a count over all, which is at least 1. All processes take part.

    DETR has the *share* at least 1: four processes with two people among them then train at half the loss of one.
    """
    if not (distributed.is_available() and distributed.is_initialized()):
        return max(float(count), 1.0)
    everywhere = torch.tensor(float(count), device=device)
    distributed.all_reduce(everywhere)
    return everywhere.clamp(min=1.0) / distributed.get_world_size()
