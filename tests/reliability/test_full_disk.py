"""A disk that is full costs no checkpoint: one sentence, and with space the same command goes on to the same end."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import pytest
import torch

from dsct_detrex.cli.running import guarded
from tests.reliability.same import assert_same_run
from tests.reliability.striking import Ended, strike
from tests.reliability.toys import train
from tests.reliability.whole import left_behind, torn

Full = Callable[[], AbstractContextManager[None]]
FIRST = "dataloader.train.interrupt=7"
"""Ctrl-C in the second batch of iteration 4."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training that had all the space it wanted."""
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    assert strike(lambda: train(folder), folder).status == 0
    return folder


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte in memory."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(place)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip() or mounted.returncode}")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("free", [0, 3, 9, 25])
def test_a_full_disk(free: int, small_disk: Path, whole: Path) -> None:
    """``free`` pages of 4 kB are left when the training goes on."""
    ballast = small_disk / "ballast"

    @contextmanager
    def full() -> Iterator[None]:
        space = os.statvfs(small_disk)
        ballast.write_bytes(b"x" * max(0, (space.f_bavail - free) * space.f_bsize))
        yield
        ballast.unlink()

    _spoiled(small_disk / "run", whole, full, lambda: train(small_disk / "run"))


@pytest.mark.parametrize("share", [0.2, 0.9])
def test_files_that_may_not_grow(share: float, tmp_path: Path, whole: Path) -> None:
    """The same without a file system of one's own: no file may be larger than a share of a checkpoint."""
    folder = tmp_path / "run"

    def limited() -> int:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # then writing fails as on a full disk, with an error
        limit = int(share * (folder / "last.pth").stat().st_size)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
        return train(folder)

    _spoiled(folder, whole, nullcontext, limited)


def _spoiled(folder: Path, whole: Path, full: Full, work: Callable[[], int]) -> None:
    """Stop after iteration 4, go on where there is no space, then where there is."""
    assert _as_a_command(lambda: train(folder, FIRST), folder).status == 130
    before = (folder / "last.pth").read_bytes()
    with full():
        ended = _as_a_command(work, folder)
        assert ended.status in (0, 2), ended.said
        if ended.status:
            assert len(ended.errors.splitlines()) == 1, ended.errors
            assert re.match(r"error: .*(No space left|File too large|failed)", ended.errors)
        assert torn(folder) == []
        assert left_behind(folder) == []
        kept = torch.load(folder / "last.pth", weights_only=True)["iteration"]
        assert (kept == 4 and (folder / "last.pth").read_bytes() == before) or kept in (8, 11)
    assert strike(lambda: train(folder), folder).status == 0
    assert_same_run(folder, whole)


def _as_a_command(work: Callable[[], int], folder: Path) -> Ended:
    return strike(lambda: guarded(work), folder)
