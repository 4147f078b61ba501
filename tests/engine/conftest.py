"""Toy runs in a temporary folder, in this process or in others."""

import json
import multiprocessing
import os
import socket
import sys
import traceback
from collections.abc import Callable, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import engine_toys
import pytest
from omegaconf import DictConfig

from dsct_detrex.config import apply_overrides

ROOT = Path(__file__).parents[2]


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


def start_ranks(work: Sequence[Callable[[], int]]) -> list[BaseProcess]:
    """Fork one process for each callable, as the ranks of one run; its result is the exit status."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def child(rank: int) -> None:
        if len(work) > 1:
            os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(len(work)))
            os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
        try:
            status = work[rank]()
        except BaseException:
            traceback.print_exc()
            status = 1
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)

    context = multiprocessing.get_context("fork")
    children: list[BaseProcess] = [context.Process(target=child, args=(rank,)) for rank in range(len(work))]
    for process in children:
        process.start()
    return children


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]
