"""The folder of a run: what is written at its start, and what happens to an older run in the same place."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import torch
from omegaconf import DictConfig

from dsct_detrex.config import ConfigError, save_config
from dsct_detrex.engine.checkpoint import last_path
from dsct_detrex.engine.environment import save_environment
from dsct_detrex.engine.files import write_atomically
from dsct_detrex.errors import UserError

_OF_A_RUN = (
    "config.yaml", "environment.json", "evaluation.json", "evaluation_ema.json", "last.pth", "last.prev.pth",
    "metrics.csv", "metrics.jsonl", "non_finite.json", "*.safetensors",
)  # fmt: skip


def open_folder(
    folder: Path, cfg: DictConfig, device: torch.device, seed: int, resume: bool, say: Callable[[str], None]
) -> None:
    """Make the folder of a training run and write ``config.yaml`` and ``environment.json``; on rank 0 only.

    A run started (not resumed) where another left a checkpoint moves that one's files into ``previous/``; what was in
    ``previous/`` before is dropped.

    Raises:
        UserError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not resume and last_path(folder).exists():
            _set_aside(folder)
            say(
                f"note: {folder} held another run, which is now in {folder / 'previous'}; "
                "to continue a run, start it with --resume."
            )
    except OSError as error:
        raise UserError(f"train.output_dir={folder} cannot be written ({error}); choose another folder.") from error
    try:
        write_atomically(folder / "config.yaml", lambda path: save_config(cfg, path))
    except ConfigError as error:
        say(f"note: config.yaml is not written. {error}")
    save_environment(folder / "environment.json", device, seed)


def _set_aside(folder: Path) -> None:
    previous = folder / "previous"
    shutil.rmtree(previous, ignore_errors=True)
    previous.mkdir()
    for pattern in _OF_A_RUN:
        for path in folder.glob(pattern):
            os.replace(path, previous / path.name)
