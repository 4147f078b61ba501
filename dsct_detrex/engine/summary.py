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
        seconds: of this process, from the start of training to its end, evaluations included.

    Raises:
        UserError: the folder cannot be written.
    """
    sizes = [(parameter.numel(), parameter.requires_grad) for parameter in model.parameters()]
    parameters = {"total": sum(n for n, _ in sizes), "trainable": sum(n for n, trains in sizes if trains)}
    content = {"iterations": iterations, "seconds": seconds, "skipped_pictures": skipped, "parameters": parameters}
    write_json(folder / SUMMARY, content)
