"""A rewrite: how one kind of module computes the same numbers faster, beside the module that says what they are.

The module itself is the readable reference and stays untouched: its parameters, buffers, state-dict keys and children
are where they were. A rewrite stands in front of its ``forward`` (an attribute of the instance, so the state dict never
sees it), recognises what it fits by structure, never by class name, and therefore serves embedded and live hosts alike.

What it prepares from the weights (folded, merged, packed tensors) is kept only while no gradient can flow, is made anew
when a weight changes, and is dropped when the module trains. A rewritten model can therefore be loaded, saved, moved,
copied and trained like any other. Where somebody hooks a part of the module, to watch it or to make its weights anew,
or puts another part in its place, the module runs as it is: a rewrite would go round that part.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator
from typing import Any, ClassVar

import torch
from torch import Tensor, nn


class Rewrite(ABC):
    """Stands in front of the ``forward`` of one module.

    Args:
        module: one that ``fits``; its ``forward``, whatever it is by now, becomes ``plain``.
    """

    name: ClassVar[str]
    """How switches and messages call it."""
    trains: ClassVar[bool] = False
    """Whether ``fast`` is differentiable in inputs and weights, so that it may also run in training."""

    def __init__(self, module: nn.Module) -> None:
        self.module: Any = module
        self.plain: Callable[..., Any] = module.forward
        self._kept: tuple[Hashable, Any] | None = None  # one value: threads that share a model never see half of it
        self._parts = _parts_of(module)
        self._fitting = True

    @classmethod
    @abstractmethod
    def fits(cls, module: nn.Module) -> bool:
        """Whether this module can be rewritten, judged by structure."""

    @abstractmethod
    def fast(self, prepared: Any, *args: Any, **kwargs: Any) -> Any:
        """The module's result; ``prepared`` is what ``prepare`` returned, the rest what ``forward`` received."""

    def prepare(self) -> Any:
        """What ``fast`` needs of the weights; differentiable where the rewrite ``trains``."""
        return None

    def weights(self) -> Iterator[Tensor]:
        """The tensors that ``prepare`` reads: when one changes, it is called again."""
        yield from self.module.parameters()
        yield from self.module.buffers()

    def suits(self, *args: Any, **kwargs: Any) -> bool:
        """Whether ``fast`` can take this call; ``plain`` takes the others."""
        return True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The module's ``forward``."""
        if torch.compiler.is_compiling():
            return self.plain(*args, **kwargs)  # the compiler makes a faster forward of its own
        learning = self.module.training or torch.is_grad_enabled()
        if learning:
            self.forget()
        if (learning and not self.trains) or self._disturbed() or not self.suits(*args, **kwargs):
            return self.plain(*args, **kwargs)
        return self.fast(self.prepare() if learning else self._current(), *args, **kwargs)

    def _disturbed(self) -> bool:
        """Whether parts have hooks, or were replaced by what does not fit."""
        parts = _parts_of(self.module)
        if parts != self._parts:
            self._parts, self._fitting = parts, type(self).fits(self.module)
        return not self._fitting or any(part._forward_pre_hooks or part._forward_hooks for part in parts)

    def forget(self) -> None:
        """Drop what was prepared."""
        self._kept = None

    def __getstate__(self) -> dict[str, Any]:
        """Copies and files take none of what was prepared: it is made of other tensors there, and may be opaque."""
        return self.__dict__ | {"_kept": None}

    def _current(self) -> Any:
        """What ``prepare`` made of the weights as they are now."""
        seen = tuple(_state(tensor) for tensor in self.weights())
        kept = self._kept
        if kept is None or kept[0] != seen:
            self._kept = kept = (seen, self.prepare())
        return kept[1]


def _state(tensor: Tensor) -> Hashable:
    """Changes whenever the tensor does: by an operation in place, or by pointing to other numbers.

    Writing through ``.data`` is what torch does not count; ``Rewriting.refresh`` is for code that does so.
    """
    if tensor.is_inference():
        return object()  # torch does not count its changes: never the same as before
    return id(tensor), tensor.data_ptr(), tensor._version, tensor.dtype, tensor.device


def _parts_of(module: nn.Module) -> list[nn.Module]:
    """All modules below one."""
    return [part for part in module.modules() if part is not module]


def is_plain_linear(module: Any) -> bool:
    """Whether it computes x W^T + b and nothing else: subclasses such as low-rank adapters do more."""
    return isinstance(module, nn.Linear) and type(module).forward is nn.Linear.forward
