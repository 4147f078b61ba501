"""All rewrites on every host: what the whole of DSCT computes, at whatever size, stays what it was."""

from __future__ import annotations

import pytest
import torch

from dsct_detrex.dsct import DSCT, LayerOutput
from dsct_detrex.rewrites import names, rewritten
from tests.dsct.tiny import HOSTS, images, tiny_dsct

ODD = ((97, 131), (66, 99))


@pytest.mark.parametrize("host", HOSTS)
def test_dsct_is_what_it_was(host: str) -> None:
    model = tiny_dsct(host).eval()
    pictures = images(*ODD)
    plain = decode(model, pictures)
    with rewritten(model) as rewriting:
        assert set(rewriting.counts) <= set(names())
        assert rewriting.counts["attention"] + rewriting.counts["deformable_attention"] > 0 or "anchor" in host
        fast = decode(model, pictures)
    assert not any("forward" in module.__dict__ for module in model.modules())
    for before, after in zip(plain, fast, strict=True):
        torch.testing.assert_close(after.logits, before.logits, rtol=0, atol=1e-5)
        torch.testing.assert_close(after.boxes, before.boxes, rtol=0, atol=1e-5)


def decode(model: DSCT, pictures: list[torch.Tensor]) -> list[LayerOutput]:
    with torch.no_grad():
        return model.decode(pictures)
