"""All rewrites on every host: what the whole of DSCT computes, at whatever size, stays what it was."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor

from dsct_detrex.dsct import DSCT
from dsct_detrex.rewrites import onednn, rewritten
from dsct_detrex.rewrites.kinds import feed_forward, packed_linear
from tests.dsct.tiny import HOSTS, images, tiny_dsct

ODD = ((97, 131), (66, 99))

CONVOLUTIONS = {"frozen_norm", "residual_block", "channels_last", "packed_linear"}
SINGLE_SCALE = CONVOLUTIONS | {"attention", "feed_forward", "token_wise"}
MULTI_SCALE = SINGLE_SCALE | {"deformable_attention"}
SERVED = {
    "anchor_detr": CONVOLUTIONS,
    "anchor_detr_mha": CONVOLUTIONS,
    **dict.fromkeys(("detr", "conditional_detr", "dab_detr", "dn_detr"), SINGLE_SCALE),
}
"""What fits in each host, of the rewrites for inference; the others are hosts of several scales."""


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiny pictures are large enough for all that looks at sizes."""
    monkeypatch.setattr(feed_forward, "PIECE", 7)
    monkeypatch.setattr(packed_linear, "SMALLEST", 1)


@pytest.mark.parametrize("host", HOSTS)
def test_dsct_is_what_it_was(host: str) -> None:
    torch.manual_seed(0)
    model = tiny_dsct(host).eval()
    pictures = images(*ODD)
    plain = predictions(model, pictures)
    with rewritten(model) as rewriting:
        assert SERVED.get(host, MULTI_SCALE) <= set(rewriting.counts)
        fast = predictions(model, pictures)
        assert_close(fast, plain)
        assert_close(predictions(copy.deepcopy(model), pictures), plain)
    assert not any("forward" in module.__dict__ for module in model.modules())
    if onednn.convolves():
        assert any(not torch.equal(a, b) for a, b in zip(plain, fast, strict=True))  # something was computed otherwise


def predictions(model: DSCT, pictures: list[Tensor]) -> list[Tensor]:
    with torch.no_grad():
        layers = model.decode(pictures)
    return [part for layer in layers for part in (layer.logits, layer.boxes)]


def assert_close(fast: list[Tensor], plain: list[Tensor]) -> None:
    """Within 1e-5 of the largest number."""
    for after, before in zip(fast, plain, strict=True):
        bound = 1e-5 * max(1.0, before.abs().max().item())
        torch.testing.assert_close(after, before, rtol=0, atol=bound)
