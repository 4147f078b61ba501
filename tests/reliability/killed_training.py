"""Kill a training just before each change of the disk, and half-way through each file of tensors; go on; compare.

``python -m tests.reliability.killed_training`` tries every moment; the tests try a few.
"""

from __future__ import annotations

import argparse
import signal
import tempfile
from pathlib import Path

import torch

from tests.reliability.same import assert_same_run
from tests.reliability.striking import spread, strike
from tests.reliability.toys import train
from tests.reliability.whole import left_behind, torn

PERIOD, LAST = 4, 11


def killed_everywhere(folder: Path, count: int) -> int:
    """Kill at ``count`` moments, evenly over the training, each in a run of its own; returns how many were tried."""
    whole = folder / "whole"
    undisturbed = strike(lambda: train(whole), whole)
    assert undisturbed.status == 0, undisturbed.said
    moments = spread(len(undisturbed.changes), count)
    for at in moments:
        _killed(folder / f"killed{at}", whole, at, undisturbed.changes)
    return len(moments)


def _killed(folder: Path, whole: Path, at: int, changes: list[str]) -> None:
    """Nothing is torn, the last checkpoint that had been saved is there, and the run goes on to the same end."""
    killed = strike(lambda: train(folder), folder, at)
    assert killed.status == -signal.SIGKILL, killed.said
    assert torn(folder) == [], f"{at}: {changes[at]}"
    saved = changes[:at].count("os.rename last.pth")
    assert _iteration(folder) == min(saved * PERIOD, LAST), f"{at}: {changes[at]}"
    again = strike(lambda: train(folder), folder)
    assert again.status == 0, again.said
    assert_same_run(folder, whole)
    assert left_behind(folder) == []


def _iteration(folder: Path) -> int:
    """Of the last checkpoint; 0 without one."""
    path = folder / "last.pth"
    return int(torch.load(path, weights_only=True)["iteration"]) if path.exists() else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1 << 20, help="moments (default: all)")
    with tempfile.TemporaryDirectory() as folder:
        moments = killed_everywhere(Path(folder), parser.parse_args().count)
    print(f"{moments} moments of death: no file torn, no checkpoint lost, every run went on to the same end")


if __name__ == "__main__":
    main()
