"""What each rewrite owes: the numbers of its module, whatever happens to the weights meanwhile."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from dsct_detrex.rewrites import Rewrite, rewritten

TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12}


def standing(module: nn.Module) -> Rewrite | None:
    """The rewrite in front of a module, the outermost."""
    forward = module.__dict__.get("forward")
    return forward if isinstance(forward, Rewrite) else None


def assert_same(module: nn.Module, name: str, *args: Any, prepares: bool = True, **kwargs: Any) -> None:
    """The rewrite of that name acts on ``module``, and gives its numbers: also after a step, a load and a copy."""
    keys = list(module.state_dict())
    for change in (lambda: None, lambda: _step(module), lambda: _load(module)):
        change()
        with torch.no_grad():
            plain = module(*args, **kwargs)
            with rewritten(module, [name]) as rewriting:
                assert rewriting.counts[name]
                assert_close(module(*args, **kwargs), plain)
                first = standing(module)
                assert not prepares or first is None or first._kept is not None
                assert_close(copy.deepcopy(module)(*args, **kwargs), plain)
                assert list(module.state_dict()) == keys
                _step(module)
                stepped = module(*args, **kwargs)
            assert_close(stepped, module(*args, **kwargs))


def assert_same_gradients(module: nn.Module, name: str, inputs: Sequence[Tensor], **kwargs: Any) -> None:
    """In training, too: results, gradients of the inputs and of every weight that has one."""
    inputs = [x.clone().requires_grad_() for x in inputs]
    plain = _gradients(module, inputs, kwargs)
    with rewritten(module, [name]):
        fast = _gradients(module, inputs, kwargs)
    for before, after in zip(plain, fast, strict=True):
        assert_close(after, before, 10)


def assert_close(actual: Tensor, expected: Tensor, slack: float = 1) -> None:
    """Within 1e-5 in single precision, relative to what is large."""
    tolerance = slack * TOLERANCE[expected.dtype]
    torch.testing.assert_close(actual, expected, rtol=tolerance, atol=tolerance)


def _gradients(module: nn.Module, inputs: Sequence[Tensor], kwargs: dict[str, Any]) -> list[Tensor]:
    weights = [weight for weight in module.parameters() if weight.requires_grad]
    out = module(*inputs, **kwargs)
    weighing = torch.linspace(-1, 1, out.numel(), dtype=out.dtype).view(out.shape)
    return [out, *torch.autograd.grad((out * weighing).sum(), [*inputs, *weights])]


def _step(module: nn.Module) -> None:
    """As an optimizer changes weights: in place."""
    with torch.no_grad():
        for weight in module.parameters():
            weight.mul_(1.1).add_(0.01)


def _load(module: nn.Module) -> None:
    state = {name: value + 0.01 if value.is_floating_point() else value for name, value in module.state_dict().items()}
    module.load_state_dict(state)
