"""One, two and four processes of one total batch: the same losses, also where a process has nobody in its pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from dsct_detrex.engine import run
from tests.engine.engine_runs import read_jsonl
from tests.reliability.people import people_config
from tests.reliability.ranks import as_ranks, trained

TOLERANCE = 2e-4
"""Relative: sums over four pictures in another order, in float32, and what four steps make of that."""

# host, people of the four pictures of a batch, options of the model
CASES = {
    "denoising, nobody alone": ("dn_detr", (2, 1, 1, 3), {"groups": 2}),
    "two ranks of four without people": ("deformable_detr", (2, 1, 0, 0), {}),
    "fewer people than processes": ("dino", (0, 1, 0, 0), {}),
    "nobody anywhere": ("detr", (0, 0, 0, 0), {}),
    "things that contexts detect": ("deformable_detr", (2, 0, 0, 1), {"things": True}),
}


def losses(folder: Path) -> list[dict[str, float]]:
    rows = read_jsonl(folder / "metrics.jsonl")
    return [{name: value for name, value in row.items() if "loss" in name or name == "grad_norm"} for row in rows]


def on_processes(folder: Path, world: int, *case: Any, **train: Any) -> list[dict[str, float]]:
    """The losses of every step of a run on so many processes."""
    host, counts, model = case
    cfg = people_config(str(folder / str(world)), host, counts, model=model, **train)
    if world == 1:
        run(cfg, quiet=True)
    else:
        assert as_ranks([lambda: trained(cfg)] * world) == [0] * world
    return losses(folder / str(world))


@pytest.mark.parametrize("name", CASES)
def test_losses_are_those_of_one_process(name: str, tmp_path: Path) -> None:
    """Without the boxes by chance that pictures without people get in denoising (``test_a_rank_without_people``)."""
    alone = on_processes(tmp_path, 1, *CASES[name])
    assert len(alone) == 4
    for world in (2, 4):
        for wanted, found in zip(alone, on_processes(tmp_path, world, *CASES[name]), strict=True):
            assert found == pytest.approx(wanted, rel=TOLERANCE, abs=1e-6), f"{world} processes"


@pytest.mark.parametrize("host", ["dn_detr", "dino"])
def test_a_rank_without_people_in_denoising(host: str, tmp_path: Path) -> None:
    """It has boxes of chance that answer for nobody, which only ``loss_class_dn`` judges; all other losses are equal.

    The first step: what chance taught is in the weights of the second.
    """
    case = (host, (2, 1, 0, 0), {"groups": 2})
    (alone,) = on_processes(tmp_path, 1, *case, max_iter=1)
    assert {"loss_class_dn", "loss_bbox_dn", "loss_class_o2m"} <= set(alone)
    chance = {name for name in alone if name.startswith("loss_class_dn")} | {"total_loss", "grad_norm"}
    for world in (2, 4):
        (found,) = on_processes(tmp_path, world, *case, max_iter=1)
        assert set(found) == set(alone)
        for name in set(alone) - chance:
            assert found[name] == pytest.approx(alone[name], rel=TOLERANCE, abs=1e-6), name
        assert all(torch.isfinite(torch.tensor(value)) for value in found.values())
