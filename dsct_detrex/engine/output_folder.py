"""The folder of a run: what is written at its start, and what happens to an older run in the same place."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import torch
from omegaconf import DictConfig

from dsct_detrex.config import ConfigError, config_to_yaml, save_config
from dsct_detrex.engine.checkpoint import last_path
from dsct_detrex.engine.environment import save_environment
from dsct_detrex.engine.files import write_atomically, write_text
from dsct_detrex.errors import UserError

_OF_A_RUN = (
    "config.yaml", "config_until_*.yaml", "config_to_read.yaml", "environment.json", "evaluation.json",
    "evaluation_ema.json", "last.pth", "last.prev.pth", "metrics.csv", "metrics.jsonl", "non_finite.json",
    "summary.json", "*.safetensors",
)  # fmt: skip


def open_folder(
    folder: Path, cfg: DictConfig, device: torch.device, seed: int, resume: bool, say: Callable[[str], None]
) -> None:
    """Make the folder of a training run and write ``config.yaml`` and ``environment.json``; on rank 0 only.

    A run started (not resumed) where another left a checkpoint moves that one's files into ``previous/<number>``:
    nothing that took days to train is ever deleted here.

    Raises:
        UserError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not resume and last_path(folder).exists():
            previous = _set_aside(folder)
            say(f"note: {folder} held another run, which is now in {previous}; to continue a run, use --resume.")
    except OSError as error:
        raise UserError(f"train.output_dir={folder} cannot be written ({error}); choose another folder.") from error
    try:
        write_atomically(folder / "config.yaml", lambda path: save_config(cfg, path))
    except ConfigError as error:
        write_text(folder / "config_to_read.yaml", config_to_yaml(cfg, marked=True))
        say(f"note: config.yaml is not written; config_to_read.yaml has what can be written. {error}")
    save_environment(folder / "environment.json", device, seed)


def _set_aside(folder: Path) -> Path:
    number = 1
    while (folder / "previous" / str(number)).exists():
        number += 1
    previous = folder / "previous" / str(number)
    previous.mkdir(parents=True)
    for pattern in _OF_A_RUN:
        for path in folder.glob(pattern):
            os.replace(path, previous / path.name)
    return previous
