"""Loss values since the last reading, left on their device so that a step never waits for them.

Fetching costs one transfer for all batches since the last one. It is also where a loss that is not finite comes to
light, with the iteration and the images it belongs to, and so does the norm of its gradients, where one is measured;
evaluation and checkpoints come after a fetch and a look at the weights (``lost_weight``), so they never see what is not
finite.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dsct_detrex.engine.contracts import Scalars


@dataclass(frozen=True)
class NonFinite:
    """A batch whose losses were not all finite."""

    iteration: int
    images: list[str]
    losses: Scalars

    def follows_from_others(self) -> tuple[int, bool]:
        """The least is to blame: the first; a loss of one process makes the gradients of all that they are."""
        return self.iteration, "total_loss" not in self.losses

    def culprit(self) -> str:
        """Name and value of the first loss that is not finite; the total only if no part of it is to blame."""
        bad = {name: value for name, value in self.losses.items() if not math.isfinite(value)}
        name = next((name for name in bad if name != "total_loss"), "total_loss")
        return f"{name} is {bad[name]}"


@dataclass(frozen=True)
class _Entry:
    iteration: int
    images: list[str]
    names: list[str]
    values: Tensor
    averaged: bool


class History:
    """Collects the losses of batches, averages them on demand."""

    def __init__(self) -> None:
        self._entries: list[_Entry] = []
        self._fetched: dict[str, list[float]] = {}

    def add(self, iteration: int, images: list[str], losses: dict[str, Tensor], averaged: bool = True) -> None:
        """Remember the scalar losses of one batch, without reading them.

        Args:
            averaged: False only watches whether they are finite.
        """
        values = torch.stack([loss.detach().float() for loss in losses.values()])
        self._entries.append(_Entry(iteration, images, list(losses), values, averaged))

    def fetch(self) -> NonFinite | None:
        """Bring the values here; the first batch that was not finite, if any."""
        if not self._entries:
            return None
        entries, self._entries = self._entries, []
        flat = torch.cat([entry.values for entry in entries]).tolist()
        problem: NonFinite | None = None
        start = 0
        for entry in entries:
            losses = dict(zip(entry.names, flat[start : start + len(entry.names)]))
            start += len(entry.names)
            if problem is None and not all(math.isfinite(value) for value in losses.values()):
                problem = NonFinite(entry.iteration, entry.images, losses)
            for name, value in losses.items() if entry.averaged else ():
                self._fetched.setdefault(name, []).append(value)
        return problem

    def means(self) -> Scalars:
        """Mean of each loss over the batches fetched since the last call."""
        fetched, self._fetched = self._fetched, {}
        return {name: sum(values) / len(values) for name, values in fetched.items()}

    def state_dict(self) -> dict[str, list[float]]:
        """What the next means will be of, less what was not fetched yet."""
        return {name: list(values) for name, values in self._fetched.items()}

    def load_state_dict(self, state: Mapping[str, Sequence[float]]) -> None:
        """Put back what ``state_dict`` returned."""
        self._fetched = {name: list(values) for name, values in state.items()}


def lost_weight(model: nn.Module) -> str | None:
    """The name of the first trainable weight that is not finite, in one transfer; None where all are."""
    trained = {name: weight.detach() for name, weight in model.named_parameters() if weight.requires_grad}
    finite = torch.stack([weight.isfinite().all() for weight in trained.values()]).tolist() if trained else []
    return next((name for name, good in zip(trained, finite) if not good), None)
