"""The folder of a run: what is written at its start, and what happens to an older run in the same place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from omegaconf import DictConfig

from dsct_detrex.config import ConfigError, config_to_yaml
from dsct_detrex.engine.environment import save_environment
from dsct_detrex.engine.files import write_text
from dsct_detrex.errors import UserError
from dsct_detrex.files import move_aside

_OF_A_RUN = (
    "config.yaml", "config_until_*.yaml", "config_to_read.yaml", "environment.json", "data.json", "evaluation.json",
    "evaluation_*.json", "log.txt", "last.pth", "last.prev.pth", "metrics.csv", "metrics.jsonl", "non_finite.json",
    "summary.json", "best.safetensors", "last.safetensors", "last_ema.safetensors", "model_[0-9]*.safetensors",
    "best.md", "last.md", "last_ema.md", "model_[0-9]*.md",
    "coco_instances_results*.json", "report.html", "report", "report_train*", "report_val*",
    "report_test*", "report_eval*", "tensorboard", "wandb",
)  # fmt: skip
"""Everything that a run writes into its folder, as patterns; ``report``, ``tensorboard`` and ``wandb`` are folders."""


def open_folder(
    folder: Path,
    cfg: DictConfig,
    device: torch.device,
    seed: int,
    resume: bool,
    say: Callable[[str], None],
    started_by: Sequence[str] = (),
) -> None:
    """Make the folder of a training run and write ``config.yaml`` and ``environment.json``; on rank 0 only.

    A run started (not resumed) where another left anything moves that one's files into ``previous/<number>``, the
    latest under the highest number: nothing that took days to train is ever deleted or written over here. Other files
    in the folder stay where they are.

    Args:
        started_by: see ``elastic.launchers``.

    Raises:
        UserError: the folder cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"train.output_dir={folder} cannot be written: it is a file, no folder; choose another name.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not resume and (previous := set_aside(folder)):
            say(f"note: {folder} held another run, which is now in {previous}; to continue a run, use --resume.")
    except OSError as error:
        raise UserError(f"train.output_dir={folder} cannot be written ({error}); choose another folder.") from error
    try:
        write_text(folder / "config.yaml", config_to_yaml(cfg))
    except ConfigError as error:
        write_text(folder / "config_to_read.yaml", config_to_yaml(cfg, marked=True))
        say(f"note: config.yaml is not written; config_to_read.yaml has what can be written. {error}")
    save_environment(folder / "environment.json", device, seed, started_by)


def set_aside(folder: Path) -> Path | None:
    """Move all that a run left into the next ``previous/<number>``; None where there is nothing."""
    left = sorted({path for pattern in _OF_A_RUN for path in folder.glob(pattern)})
    if not left:
        return None
    numbers = [int(path.name) for path in (folder / "previous").glob("*") if path.name.isdigit()]
    previous = folder / "previous" / str(max(numbers, default=0) + 1)
    previous.mkdir(parents=True)
    for path in left:
        move_aside(path, previous / path.name)
    return previous
