"""Capture: the arguments with which a host calls its decoder, by name, without running the decoder.

The host's transformer builds context queries, memory, references and masks and hands them to ``decoder(**kwargs)``.
A one-shot pre-hook on the decoder takes those arguments and leaves by an exception, so no module of the host is
replaced or renamed and its state dict keeps every key (``docs/architecture.md``, decision 1).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from torch import nn


class _Captured(Exception):
    def __init__(self, kwargs: dict[str, Any]) -> None:
        super().__init__()
        self.kwargs = kwargs


def capture_keywords(target: nn.Module, call: Callable[[], Any]) -> dict[str, Any]:
    """Run ``call`` until it calls ``target``; the arguments of that call by name, those that are not ``None``.

    Positional arguments get the names of the parameters of ``target.forward``.

    Raises:
        RuntimeError: ``call`` ended without calling ``target``, or called it with more positional arguments than its
            ``forward`` has names for.
    """

    def leave(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        named = dict(zip(_positional_names(target), args)) | kwargs
        if len(named) < len(args) + len(kwargs):
            raise RuntimeError(
                f"capture_keywords expects {type(target).__name__} to have a name for every argument of its call. "
                f"Got {len(args)} positional arguments."
            )
        raise _Captured({k: v for k, v in named.items() if v is not None})

    handle = target.register_forward_pre_hook(leave, with_kwargs=True)
    try:
        call()
    except _Captured as captured:
        return captured.kwargs
    finally:
        handle.remove()
    raise RuntimeError(f"capture_keywords expects the call to reach {type(target).__name__}. It never did.")


def _positional_names(target: nn.Module) -> list[str]:
    parameters = inspect.signature(target.forward).parameters.values()
    return [parameter.name for parameter in parameters if parameter.kind is parameter.POSITIONAL_OR_KEYWORD]
