"""Two runs compared to the last bit: checkpoints, releases and logged numbers, all but what a clock has measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

TIMES = ("time", "data_time", "eta_seconds", "mem_mb")
STATE = (
    "model", "optimizer", "optimizer_names", "scaler", "ema", "best", "rng", "loader", "losses", "iteration",
    "evaluated_at", "measured", "max_iter",
)  # fmt: skip


def assert_same_run(folder: Path, expected: Path) -> None:
    """``folder`` holds what ``expected`` holds, though it was stopped and gone on with."""
    ours, theirs = (torch.load(place / "last.pth", weights_only=True) for place in (folder, expected))
    for key in STATE:
        assert_same(ours[key], theirs[key], key)
    assert rows(folder) == rows(expected)
    names = sorted(path.name for path in expected.glob("*.safetensors"))
    assert sorted(path.name for path in folder.glob("*.safetensors")) == names
    for name in names:
        assert_same(load_file(folder / name), load_file(expected / name), name)


def assert_same(ours: Any, theirs: Any, where: str) -> None:
    """Equal to the last bit, at every depth."""
    if isinstance(theirs, torch.Tensor):
        assert torch.equal(ours, theirs), where
    elif isinstance(theirs, dict):
        assert ours.keys() == theirs.keys(), where
        for key in theirs:
            assert_same(ours[key], theirs[key], f"{where}.{key}")
    elif isinstance(theirs, list | tuple):
        assert len(ours) == len(theirs), where
        for i, pair in enumerate(zip(ours, theirs)):
            assert_same(*pair, f"{where}[{i}]")
    elif isinstance(theirs, float) and theirs != theirs:
        assert ours != ours, where
    else:
        assert ours == theirs, where


def rows(folder: Path) -> dict[int, dict[str, Any]]:
    """What was logged, by iteration, without times; each number of an iteration once."""
    logged: dict[int, dict[str, Any]] = {}
    for line in (folder / "metrics.jsonl").read_text().splitlines():
        row = {key: value for key, value in json.loads(line).items() if key not in TIMES}
        before = logged.setdefault(row.pop("iteration"), {})
        twice = before.keys() & row.keys() - {"epoch"}
        assert not twice, f"{sorted(twice)} are logged twice"
        before.update(row)
    return logged
