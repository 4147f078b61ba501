"""One optimizer step: losses of every accumulated batch, their gradients, clipping, the update.

A batch's losses are summed as the model weighted them and divided by the number of accumulated batches, so that n
batches of b images give the gradient of one batch of n*b wherever a loss is a mean over images.
"""

from __future__ import annotations

from contextlib import nullcontext

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from dsct_detrex.engine import ddp
from dsct_detrex.engine.contracts import Batch
from dsct_detrex.engine.settings import Amp, ClipGrad


class TrainStep:
    """Forward and backward of batches, then the update of the weights.

    Args:
        model: returns a dict of weighted scalar losses for a batch, possibly wrapped for several processes.
        amp: settled (``precision``): forward passes run under autocast of this type; float16 gradients are scaled,
            bfloat16 ones need not be.
        accumulate: batches to one update.
    """

    def __init__(
        self, model: nn.Module, optimizer: Optimizer, device: torch.device, amp: Amp, clip: ClipGrad, accumulate: int
    ) -> None:
        self.model = model
        self.optimizer = optimizer
        self.device = device
        self.amp = amp
        self.mixed = amp.enabled is True
        self.clip = clip
        self.accumulate = accumulate
        self.scaler = torch.amp.GradScaler(device.type, enabled=self.mixed and amp.dtype == "float16")
        self._parameters = [p for group in optimizer.param_groups for p in group["params"]]

    def backward(self, batch: Batch, last: bool) -> dict[str, Tensor]:
        """Add the gradient of one batch.

        Args:
            last: the batch completes the iteration; only then do the processes exchange gradients.

        Returns:
            The batch's scalar losses and their sum ``total_loss``, detached, still on the device.
        """
        dtype = torch.float16 if self.amp.dtype == "float16" else torch.bfloat16
        with nullcontext() if last else ddp.without_sync(self.model):
            with torch.autocast(self.device.type, dtype=dtype, enabled=self.mixed):
                losses = self.model(batch)
            losses = {"total_loss": losses} if isinstance(losses, Tensor) else dict(losses)
            total = torch.stack([loss.float() for loss in losses.values()]).sum()
            self.scaler.scale(total / self.accumulate).backward()  # type: ignore[no-untyped-call]
        return {name: loss.detach() for name, loss in {**losses, "total_loss": total}.items()}

    def update(self, measure: bool) -> Tensor | None:
        """Clip, step, clear the gradients.

        Args:
            measure: also measure the gradient's norm where clipping does not need it anyway.

        Returns:
            Norm of all gradients before clipping, on the device, or None.
        """
        norm: Tensor | None = None
        if self.clip.enabled or measure:
            self.scaler.unscale_(self.optimizer)
        if self.clip.enabled:
            norm = nn.utils.clip_grad_norm_(self._parameters, **self.clip.params)
        elif measure:
            norm = gradient_norm(self._parameters)
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        return norm

    def without_gradient(self) -> list[str]:
        """Names of trainable weights that the backward passes so far did not reach."""
        named = ddp.unwrap(self.model).named_parameters()
        return [name for name, parameter in named if parameter.requires_grad and parameter.grad is None]


def gradient_norm(parameters: list[nn.Parameter]) -> Tensor:
    """Euclidean norm of all gradients together."""
    norms = [torch.linalg.vector_norm(p.grad).float() for p in parameters if p.grad is not None]
    return torch.linalg.vector_norm(torch.stack(norms)) if norms else torch.zeros(())
