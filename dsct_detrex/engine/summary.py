"""``summary.json``: what a finished training was, in the numbers that no other file of its folder has.

Written last, so that its presence means that training and its last evaluation are over.
"""

from __future__ import annotations

from pathlib import Path

from torch import nn

from dsct_detrex.engine.files import write_json

SUMMARY = "summary.json"


def write_summary(folder: Path, model: nn.Module, iterations: int, seconds: float, skipped: int = 0) -> None:
    """Write the file.

    Args:
        model: the bare model; a parameter is trainable if it requires a gradient.
        iterations: optimizer steps done, those before a resume included.
        skipped: how often a training picture could not be read and another took its place.
        seconds: of training, evaluations and what came before a resume included.

    Raises:
        UserError: the folder cannot be written.
    """
    parameters = dict(zip(("total", "trainable"), count_parameters(model)))
    content = {"iterations": iterations, "seconds": seconds, "skipped_pictures": skipped, "parameters": parameters}
    write_json(folder / SUMMARY, content)


def count_parameters(model: nn.Module) -> tuple[int, int]:
    """All weights, and those that require a gradient."""
    sizes = [(parameter.numel(), parameter.requires_grad) for parameter in model.parameters()]
    return sum(size for size, _ in sizes), sum(size for size, trains in sizes if trains)
