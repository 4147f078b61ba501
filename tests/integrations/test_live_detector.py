"""Detrex's own hosts as detectors: their heads are found, trained, and say what the embedded twins say.

Skipped, by name, where detrex is not importable. Run it with ``DETREX_ROOT`` (and ``DETECTRON2_ROOT``) set.
"""

import pytest
import torch

from dsct_detrex.detection import Detector
from dsct_detrex.dsct import ContextHeads
from dsct_detrex.integrations.detrex import locate
from dsct_detrex.objective import Denoising, DSCTCriterion, HungarianMatcher, ProposalLoss, focal_for
from dsct_detrex.structures import ObjectClasses

from .live import EMBEDDED, NAMES, batch_for, largest, pictures_for, require_detrex, tiny_live_host, twins

THINGS = ObjectClasses("things", [f"thing {number}" for number in range(80)])


@pytest.fixture(autouse=True)
def detrex() -> None:
    require_detrex()
    locate()


@pytest.mark.parametrize("name", NAMES)
def test_a_live_host_trains_as_a_detector(name: str) -> None:
    focal = focal_for(THINGS)
    criterion = DSCTCriterion(HungarianMatcher(focal), focal)
    model = Detector(tiny_live_host(name), THINGS, criterion, denoising=Denoising(2, 20), proposal_loss=ProposalLoss())
    losses = model.train()(batch_for(name))
    assert all(torch.isfinite(loss) for loss in losses.values())
    sum(losses.values()).backward()
    for head in model.heads.modules:
        assert all(p.grad is not None and p.grad.any() for p in head.parameters())
    found = model.eval()(batch_for(name))
    assert [len(one["instances"]) for one in found] == [100, 100]


@pytest.mark.parametrize("name", EMBEDDED)
@torch.no_grad()
def test_a_live_host_says_what_its_embedded_twin_says(name: str) -> None:
    live, embedded = (model.eval() for model in twins(name))
    pictures = pictures_for(name)
    theirs, ours = (
        ContextHeads(model.decoder.adapter, 80).predictions(model.decode(pictures)) for model in (live, embedded)
    )
    assert largest(theirs["pred_boxes"], ours["pred_boxes"]) <= 1e-4
    assert largest(theirs["pred_logits"], ours["pred_logits"]) <= 1e-3
