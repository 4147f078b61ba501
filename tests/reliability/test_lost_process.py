"""One process of several is lost: the others end with a sentence, and what was saved goes on."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import DictConfig
from torch import distributed

from dsct_detrex.engine import checkpoint
from dsct_detrex.errors import UserError
from tests.engine.engine_toys import ToyEvaluator, ToyTrainLoader, toy_config
from tests.reliability.ranks import MANY, as_ranks, trained

SEVEN = 7  # steps done; checkpoints come after 5 and 10


class FatalLoader(ToyTrainLoader):
    """Whose process dies at a batch: of ``kill -9``, of an error of the user's, of a mistake in the code."""

    position_of_all = True
    victim: int | None = None
    death = "kill"

    def __iter__(self) -> Iterator[list[dict[str, Any]]]:
        for batch in super().__iter__():
            if self.iteration == SEVEN + 1 and self.rank == self.victim:
                die(self.death)
            yield batch


class FatalEvaluator(ToyEvaluator):
    """Whose process dies while the others wait for its share."""

    victim: int | None = None

    def evaluate(self) -> dict[str, dict[str, float]]:
        if distributed.is_initialized() and distributed.get_rank() == self.victim and self.times == 1:
            die("kill")
        return super().evaluate()


def die(how: str) -> None:
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    raise UserError("picture_9.png cannot be read.") if how == "a mistake of the user's" else KeyError("a bug")


def config(folder: Path, victim: int | None = None, death: str = "kill", **train: Any) -> DictConfig:
    """Without dropout and batch norm, so that any number of processes trains alike."""
    cfg = toy_config(str(folder), **train)
    cfg.model.norm, cfg.model.dropout, cfg.dataloader.train.noisy = False, 0.0, False
    cfg.dataloader.train._target_ = type("Loader", (FatalLoader,), {"victim": victim, "death": death})
    return cfg


def weights(folder: Path) -> dict[str, torch.Tensor]:
    saved: dict[str, torch.Tensor] = torch.load(folder / "last.pth", weights_only=True)["model"]
    return saved


@pytest.mark.parametrize(
    ("victim", "death"),
    [(0, "kill"), (2, "a mistake of the user's"), *([(1, "kill"), (0, "a bug")] if MANY else [])],
)
def test_the_others_end_with_a_sentence(
    victim: int, death: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    cfg = config(folder, victim, death)
    cfg.dataloader.train.total_batch_size = 6
    start = time.monotonic()
    statuses = as_ranks([lambda: trained(cfg)] * 3)
    assert time.monotonic() - start < 30
    died = {"kill": -signal.SIGKILL, "a mistake of the user's": 2, "a bug": 1}[death]
    assert statuses == [died if rank == victim else 2 for rank in range(3)]
    told = capfd.readouterr().err
    assert told.count("another process of this run ended, or cannot be reached any more (") == 2
    assert told.count(f"The last checkpoint is {folder / 'last.pth'}: continue with --resume.") == 2
    assert told.count("Traceback") == (1 if death == "a bug" else 0)
    assert torch.load(folder / "last.pth", weights_only=True)["iteration"] == 5
    if victim != 0:
        assert "another process of this run ended" in (folder / "log.txt").read_text()


@pytest.mark.parametrize("moment", ["checkpoint", *(["evaluation", "start"] if MANY else [])])
def test_at_other_moments(
    moment: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    cfg = config(folder)
    if moment == "evaluation":
        cfg.dataloader.evaluator._target_ = type("Evaluator", (FatalEvaluator,), {"victim": 1})
    if moment == "checkpoint":

        def killed_while_writing(path: Path, write: Any, keep_previous: Path | None = None) -> None:
            if keep_previous is not None and keep_previous.name == "last.prev.pth" and path.exists():
                path.with_name(".last.writing.pth").write_bytes(b"half")
                die("kill")
            whole(path, write, keep_previous)

        whole = checkpoint.write_atomically
        monkeypatch.setattr(checkpoint, "write_atomically", killed_while_writing)
    if moment == "start":
        monkeypatch.setattr("dsct_detrex.engine.train_run.open_session", _die_on_rank_1)
    statuses = as_ranks([lambda: trained(cfg)] * 2)
    assert sorted(status or 0 for status in statuses) == [-signal.SIGKILL, 2]
    told = capfd.readouterr().err
    assert "another process of this run ended" in told
    assert "Traceback" not in told
    if moment == "start":
        assert "There is no checkpoint yet: start again." in told
    else:
        assert torch.load(folder / "last.pth", weights_only=True)["iteration"] == 5


def _die_on_rank_1(*_: Any) -> None:
    if distributed.get_rank() == 1:
        die("kill")
    distributed.all_gather_object([None, None], 1)


@pytest.mark.parametrize("world", [2, 1])
def test_torchrun_starts_again_and_the_run_goes_on(world: int, tmp_path: Path) -> None:
    """With all machines back, and with one that stays away: from the last checkpoint, through the same data."""
    folder = tmp_path / "run"
    lost = config(folder, victim=1)
    assert as_ranks([lambda: trained(lost)] * 2, launcher="torchelastic_a/none_b") == [2, -signal.SIGKILL]
    back = config(folder)
    assert as_ranks([lambda: trained(back)] * world, launcher="torchelastic_a/none_b") == [0] * world
    assert not (folder / "previous").exists()
    whole = config(tmp_path / "never_stopped")
    assert as_ranks([lambda: trained(whole)] * world) == [0] * world
    wanted = weights(tmp_path / "never_stopped")
    for name, value in weights(folder).items():
        exact = {"rtol": 0.0, "atol": 0.0} if world == 2 else {"rtol": 1e-4, "atol": 1e-5}
        torch.testing.assert_close(value, wanted[name], **exact)
    log = (folder / "log.txt").read_text()
    assert log.count("torchrun has started this run again: it goes on from its last checkpoint") == 1
    assert ("random numbers start afresh" in log) == (world == 1)
    assert "data order" not in log


def test_another_torchrun_starts_a_run_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    for launcher in ("torchelastic_a/none_b", "torchelastic_c/none_d"):
        cfg = config(folder, max_iter=5)
        assert as_ranks([lambda: trained(cfg)] * 2, launcher=launcher) == [0, 0]  # noqa: B023
    assert (folder / "previous" / "1" / "last.pth").exists()
