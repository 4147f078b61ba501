"""Toy runs in a temporary folder, in this process or in others."""

import os
from collections.abc import Callable
from pathlib import Path

import engine_toys
import pytest
from engine_runs import ROOT
from omegaconf import DictConfig

from dsct_detrex.config import apply_overrides


@pytest.fixture
def toy(tmp_path: Path) -> Callable[..., DictConfig]:
    """Make the config of a toy run in ``tmp_path/run``, changed by overrides."""

    def make(*overrides: str) -> DictConfig:
        return apply_overrides(engine_toys.toy_config(str(tmp_path / "run")), list(overrides))

    return make


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    """A config file of a toy run, as a command line names it."""
    path = tmp_path / "toy.py"
    path.write_text(
        "from engine_toys import toy_config\n"
        f"_cfg = toy_config({str(tmp_path / 'run')!r})\n"
        "train, model, dataloader, optimizer = _cfg.train, _cfg.model, _cfg.dataloader, _cfg.optimizer\n"
        "lr_multiplier, emotions, data = _cfg.lr_multiplier, _cfg.emotions, _cfg.data\n"
    )
    return path


@pytest.fixture
def environment() -> dict[str, str]:
    """For child processes: the package and the toys on the path, one thread, no group of an outer run."""
    kept = {k: v for k, v in os.environ.items() if k not in ("RANK", "WORLD_SIZE", "LOCAL_RANK")}
    return {**kept, "PYTHONPATH": f"{ROOT}{os.pathsep}{Path(__file__).parent}", "OMP_NUM_THREADS": "1"}
