"""Several processes of one total batch have the losses of one, also where a process has nobody in its pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dsct_detrex.baselines import EMONet
from dsct_detrex.engine import ddp
from dsct_detrex.hosts.resnet import ResNet
from dsct_detrex.objective import focal_for
from dsct_detrex.structures import CAER_S
from tests.reliability.people import PeopleLoader
from tests.reliability.processes import CASES, apart, losses
from tests.reliability.ranks import as_ranks

TOLERANCE = 2e-4
"""Relative: sums over pictures in another order, in float32, and what the steps make of that."""


@pytest.mark.parametrize("name", ["denoising, a process without people", "fewer people than processes"])
def test_losses_are_those_of_one_process(name: str, tmp_path: Path) -> None:
    """More cases and processes: ``python -m tests.reliability.processes``."""
    alone, together = (losses(tmp_path, CASES[name], world, 2) for world in (1, 2))
    assert len(alone) == 2
    assert apart(alone, together, CASES[name]) < TOLERANCE


def test_a_baseline_of_two_stages_shares_its_people(tmp_path: Path) -> None:
    """EMO-Net judges people, not pictures: of three in all, two here, one there, each counts a third."""
    loader = PeopleLoader(2, (2, 1, 3, 0))
    batches = [[loader.picture(0), loader.picture(1)], [loader.picture(2), loader.picture(3)]]

    def share() -> int:
        with ddp.process_group(torch.device("cpu")):
            model = baseline()
            own = [model([batch[ddp.rank()]])["loss_class"] for batch in batches]
            torch.save([loss.detach() for loss in own], tmp_path / str(ddp.rank()))
        return 0

    assert as_ranks([share] * 2) == [0, 0]
    shares = torch.tensor([torch.load(tmp_path / name) for name in "01"])
    model = baseline()
    alone = torch.stack([model(batch)["loss_class"].detach() for batch in batches])
    torch.testing.assert_close(shares.mean(0), alone)


def baseline() -> EMONet:
    torch.manual_seed(1)
    branches = [ResNet(18, out_features=("res2",), norm="FrozenBN", freeze_at=0) for _ in range(2)]
    sizes = dict(subject_size=32, context_size=32, hidden_dim=16)
    return EMONet(*branches, CAER_S, focal_for(CAER_S), dropout=0.0, **sizes).train()
