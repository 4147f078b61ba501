"""Shared test set-up: one thread, a fixed seed, W&B without an account, golden fixtures' reader on the path."""

import gc
import sys
from pathlib import Path

import pytest
import torch

from tests.wandb_offline import forget_account

sys.path.insert(0, str(Path(__file__).parent / "golden"))
torch.set_num_threads(1)

# The first backward decides for the whole process whether autograd has threads for devices, after which forks can run
# none. torch's fake tensors (export, compilation) register a CUDA device that is not there, so this one goes before.
torch.ones(1, requires_grad=True).sum().backward()


def pytest_collection_finish() -> None:
    """What is imported by now stays to the end, so the garbage collector need not walk it each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.fixture
def no_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """W&B finds no account."""
    forget_account(tmp_path, monkeypatch)
