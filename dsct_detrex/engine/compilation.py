"""``train.compile``: regions of a model through ``torch.compile``, each as one graph.

A whole detector does not compile: the matcher solves on the CPU, the operator has a backend of its own, and one padded
batch differs from the next. Its regions do: modules that compute from tensors to tensors. Each is compiled in place, so
that no key of a checkpoint, no hook and no wrapper knows of it, with ``fullgraph=True``: what would break the graph is
an error, not a slow surprise. In a compiled region the compiler decides: rewrites are taken out of it.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

import torch
from torch import nn

from dsct_detrex.engine.settings import Compile
from dsct_detrex.errors import UserError
from dsct_detrex.rewrites import plain_again


def compile_regions(model: nn.Module, settings: Compile, device: torch.device) -> dict[str, int]:
    """Compile the regions of a model; they are traced when they are called first.

    Returns:
        How many modules each pattern of ``settings.regions`` found; empty where nothing is to be compiled.

    Raises:
        UserError: the backend is unknown or cannot compile here, or no pattern finds a module.
    """
    if not settings.enabled:
        return {}
    found = {pattern: regions(model, pattern) for pattern in settings.regions}
    if not any(found.values()):
        tops = ", ".join(name for name, _ in model.named_children())
        raise UserError(
            f"train.compile.regions expects names of modules, with * as a wildcard. Got {', '.join(settings.regions)}, "
            f"of which this model has none; its parts are {tops}."
        )
    options = {"backend": settings.backend, **({"mode": settings.mode} if settings.mode else {})}
    _try(options, device)
    taken: set[nn.Module] = set()
    for modules in found.values():
        for module in modules:
            if module not in taken:
                plain_again(module)  # the compiler counts all rewrites as one function, and gives up on so many forms
                module.compile(fullgraph=True, **options)
            taken.update(module.modules())
    return {pattern: len(modules) for pattern, modules in found.items() if modules}


def regions(model: nn.Module, pattern: str) -> list[nn.Module]:
    """The modules whose dotted name fits a pattern, and which are called themselves (a list of modules is not)."""
    named = model.named_modules()
    return [m for name, m in named if fnmatchcase(name, pattern) and not isinstance(m, nn.ModuleList | nn.ModuleDict)]


def compile_words(counts: dict[str, int], settings: Compile) -> str:
    """``"by inductor: host.backbone, 12 of host.*.ffns.*; ..."``; empty where nothing is compiled."""
    if not counts:
        return ""
    listed = ", ".join(pattern if count == 1 else f"{count} of {pattern}" for pattern, count in counts.items())
    return f"by {settings.backend}: {listed}; the first steps compile, which takes minutes"


def _try(options: dict[str, str], device: torch.device) -> None:
    """Compile a sum, so that a machine that cannot says so before the training."""
    try:
        torch.compile(_sum, fullgraph=True, **options)(torch.ones(8, device=device))  # type: ignore[call-overload]
    except Exception as error:  # of whatever compiler stands behind the backend
        reason = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise UserError(
            f"train.compile.enabled=True: torch.compile with train.compile.backend={options['backend']} does not work "
            f"here ({reason}). Set train.compile.enabled=False, or install what it asks for."
        ) from error


def _sum(x: torch.Tensor) -> torch.Tensor:
    return x + x.sin()
