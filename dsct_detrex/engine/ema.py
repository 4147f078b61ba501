"""Exponential moving average of the weights, evaluated beside them, never in their place.

After each step: average <- decay * average + (1 - decay) * weights, from the initial weights on (detrex's
``model_ema``). Buffers that are not averages themselves (integers) are copied. Results of the average carry the
prefix ``ema/``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


class WeightAverage:
    """The average of one model's state.

    Args:
        decay: share of the old average kept at each step, in [0, 1).
        device: where the average lives; empty: beside the model.
    """

    def __init__(self, model: nn.Module, decay: float, device: str = "") -> None:
        self.average = {
            name: value.detach().to(device or value.device, copy=True) for name, value in model.state_dict().items()
        }
        self._blend = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Blend the model's present weights in."""
        groups: dict[tuple[torch.device, torch.dtype], tuple[list[Tensor], list[Tensor]]] = {}
        for name, value in model.state_dict().items():
            average = self.average[name]
            if not value.is_floating_point():
                average.copy_(value)
                continue
            averages, values = groups.setdefault((average.device, average.dtype), ([], []))
            averages.append(average)
            values.append(value.detach().to(average.device))
        for averages, values in groups.values():
            self._blend(averages, values, None)

    def resync(self, model: nn.Module) -> list[str]:
        """Restart the average of weights for which it is no longer finite.

        One step with a weight that is not finite would otherwise stay in the average for ever.

        Returns:
            Names of the weights restarted.
        """
        floats = {name: value for name, value in self.average.items() if value.is_floating_point()}
        finite = torch.stack([value.isfinite().all() for value in floats.values()]).tolist() if floats else []
        lost = [name for name, good in zip(floats, finite) if not good]
        weights = model.state_dict() if lost else {}
        for name in lost:
            self.average[name].copy_(weights[name])
        return lost

    @contextmanager
    def applied_to(self, model: nn.Module) -> Iterator[None]:
        """Inside the block the model has the averaged weights, after it its own again."""
        own = {name: value.detach().clone() for name, value in model.state_dict().items()}
        model.load_state_dict(self.average)
        try:
            yield
        finally:
            model.load_state_dict(own)

    def state_dict(self) -> dict[str, Any]:
        return dict(self.average)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Put back what ``state_dict`` returned; the names are those of the model it averages."""
        for name, average in self.average.items():
            average.copy_(state[name])
