"""The seam between one operator and its implementations: a register of backends and the choice among them.

A backend can be asked for (`use_backend`, or the environment variable `DSCT_MSDA_BACKEND`); otherwise the one with
the highest priority among those that support the tensors at hand is taken: detrex's CUDA operator where it was compiled
(20), on other GPUs Triton (15), on CPUs numba (10), and the reference in PyTorch (0) where nothing else can run.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from torch import Tensor

from dsct_detrex.errors import UserError

ENVIRONMENT_VARIABLE = "DSCT_MSDA_BACKEND"

Forward = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]
Fused = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Backend:
    """One implementation of multi-scale deformable attention.

    Attributes:
        name: what users write to ask for it.
        forward: `(value, spatial_shapes, level_start_index, sampling_locations, attention_weights)` -> (B, Q, H*D),
            shapes as in `multi_scale_deformable_attn`. The three float tensors have the same dtype, float32 or
            float64, and share a device; they may be non-contiguous. Gradients must flow to all three.
        supports: whether it can run for this `value` (device, dtype, installed packages); cheap, called every time.
        priority: the automatic choice takes the highest. The reference has 0.
        needs: a phrase for error messages: what `supports` asks for and how to get it.
        fused: `(value, spatial_shapes, level_start_index, reference_points, offsets, logits)` -> (B, Q, H*D), see
            `fused_deformable_attn`, of any float dtypes; None where the backend has no such pass.
        on_request: where else it runs if it is asked for by name; the automatic choice never goes by this.
    """

    name: str
    forward: Forward
    supports: Callable[[Tensor], bool]
    priority: int
    needs: str
    fused: Fused | None = None
    on_request: Callable[[Tensor], bool] = lambda value: False

    def words(self) -> str:
        """``"numba (fused)"``, or the name alone of one that has no such pass."""
        return self.name if self.fused is None else f"{self.name} (fused)"


class BackendError(UserError, ValueError):
    """The backend that was asked for does not exist or cannot run here."""


_registered: dict[str, Backend] = {}
_requested: ContextVar[str | None] = ContextVar("requested_msda_backend", default=None)


def register_backend(backend: Backend) -> None:
    """Make a backend known; one of the same name is replaced."""
    _registered[backend.name] = backend


def available_backends() -> tuple[str, ...]:
    """Names of the registered backends, the automatic choice's favourite first."""
    ranked = sorted(_registered.values(), key=lambda backend: -backend.priority)
    return tuple(backend.name for backend in ranked)


@contextmanager
def use_backend(name: str) -> Iterator[None]:
    """Within the `with` block (of this thread), this backend and no other; it precedes the environment variable.

    Raises:
        BackendError: no backend of this name is registered; later, in the operator, that it cannot run there.
    """
    find_backend(name, "use_backend")
    token = _requested.set(name)
    try:
        yield
    finally:
        _requested.reset(token)


def choose_backend(value: Tensor) -> Backend:
    """The backend for an operator call on `value`: the requested one, or the best that supports it.

    Raises:
        BackendError: a backend was asked for that is unknown or does not support `value`.
    """
    name, asker = _requested.get(), "use_backend"
    if name is None:
        name, asker = os.environ.get(ENVIRONMENT_VARIABLE), ENVIRONMENT_VARIABLE
    if name:
        backend = find_backend(name, asker)
        if not (backend.supports(value) or backend.on_request(value)):
            raise BackendError(
                f"{asker} asks for the deformable-attention backend '{name}', which cannot run on a {value.dtype} "
                f"tensor on {value.device} here: it needs {backend.needs}."
            )
        return backend
    return max((b for b in _registered.values() if b.supports(value)), key=lambda backend: backend.priority)


def find_backend(name: str, asker: str = "find_backend") -> Backend:
    """The backend of this name; ``asker`` complains where there is none.

    Raises:
        BackendError: there is none.
    """
    if name not in _registered:
        known = ", ".join(available_backends())
        raise BackendError(f"{asker} asks for an unknown deformable-attention backend '{name}'; known are: {known}.")
    return _registered[name]
