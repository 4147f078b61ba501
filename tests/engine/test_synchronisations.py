"""How often a training step and an evaluation wait for a GPU: every place, how often, and why it has to be."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import torch
from torch import nn

from dsct_detrex.engine.history import History
from dsct_detrex.engine.settings import Amp, ClipGrad
from dsct_detrex.engine.step import TrainStep
from dsct_detrex.ops.backends import use_backend
from dsct_detrex.rewrites import rewrite
from tests.dsct.tiny import HOSTS, batch, tiny_dsct
from tests.synchronisations import watched

CPU = torch.device("cpu")

# The only wait of a step: the solver needs all costs of all layers and images, in one copy (``numpy`` is of the copy).
MATCHING = {"objective/matcher.py __call__ cpu": 1, "objective/matcher.py __call__ numpy": 1}
# DETA's NMS, here as one: once an image (on a CPU more often), for nobody knows before how many boxes survive.
NMS = {"hosts/deta_transformer.py surviving_tokens": 1}


def model_of(host: str) -> nn.Module:
    model = tiny_dsct(host).train()
    rewrite(model)
    return model


def places(seen: Counter[str]) -> dict[str, int]:
    """Without the operator, whose backends have tests of their own, and with DETA's NMS as one."""
    named = {place: count for place, count in seen.items() if not place.startswith("ops/")}
    nms = [place for place in named if place.startswith("hosts/deta_transformer.py surviving_tokens")]
    allowed = {"nonzero", "unique", "item"}  # torchvision's, which chooses its way by the number of boxes
    assert {place.rpartition(" ")[2] for place in nms} <= allowed
    return {place: count for place, count in named.items() if place not in nms} | (NMS if nms else {})


@pytest.mark.parametrize("host", HOSTS)
def test_a_training_step_waits_for_the_matching_alone(host):
    model = model_of(host)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-4, fused=True)
    step, history, inputs = TrainStep(model, optimizer, CPU, Amp(), ClipGrad(True), 1), History(), batch()

    def whole(number: int) -> None:
        history.add(number, ["a", "b"], step.backward(inputs, last=True))
        step.update(measure=False)

    with use_backend("pytorch"):
        whole(1)  # what is made once
        with watched() as seen:
            whole(2)
    assert places(seen) == MATCHING | (NMS if host == "deta" else {})


@pytest.mark.parametrize("host", HOSTS)
def test_an_evaluation_step_waits_for_nothing(host):
    model = model_of(host).eval()
    inputs: Any = batch()
    with use_backend("pytorch"), torch.no_grad():
        model(inputs)  # what is made and tried once
        with watched() as seen:
            model(inputs)
    assert places(seen) == (NMS if host == "deta" else {})


@pytest.mark.parametrize("options", ["dino", "h_deformable_detr"])
def test_training_only_queries_cost_one_matching_each_at_most(options):
    from dsct_detrex.objective import Denoising, OneToMany

    model = tiny_dsct(options, denoising=Denoising(num_groups=2), one_to_many=OneToMany(6, 2)).train()
    inputs = batch()
    with use_backend("pytorch"), watched() as seen:
        model(inputs)
    assert seen["objective/matcher.py __call__ cpu"] == 2  # subjects, one-to-many; denoising knows its answer
    # How many people there are and where, which Python knows: copies to the device, nobody waits.
    told = {"objective/denoising.py _people tensor", "objective/denoising.py _pairs tensor"}
    pairs = {"objective/one_to_many.py __call__ tensor"}  # of the matcher, on the CPU
    assert {place for place in seen if place.startswith(("objective/", "structures/"))} - set(MATCHING) == told | pairs
