"""Rewrites recognise live modules by their structure, and give the numbers that detrex's own code gives."""

from __future__ import annotations

import pytest
import torch

from dsct_detrex.rewrites import onednn, rewritten
from dsct_detrex.rewrites.kinds import feed_forward, packed_linear

from .live import EMBEDDED, dsct_on, pictures_for, require_detrex, tiny_live_host


@pytest.mark.parametrize("name", EMBEDDED)
def test_live_dsct_is_what_it_was(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    require_detrex()
    monkeypatch.setattr(feed_forward, "PIECE", 7)
    monkeypatch.setattr(packed_linear, "SMALLEST", 1)
    torch.manual_seed(0)
    model = dsct_on(tiny_live_host(name)).eval()
    pictures = pictures_for(name)
    with torch.no_grad():
        plain = model.decode(pictures)
        with rewritten(model) as rewriting:
            fast = model.decode(pictures)
            counts = set(rewriting.counts)
    served = {"frozen_norm", "residual_block", "channels_last"} | ({"packed_linear"} if onednn.multiplies() else set())
    assert served <= counts
    assert "anchor" in name or {"attention", "feed_forward", "token_wise"} <= counts
    for before, after in zip(plain, fast, strict=True):
        for one, other in ((before.logits, after.logits), (before.boxes, after.boxes)):
            torch.testing.assert_close(other, one, rtol=0, atol=1e-5 * max(1.0, one.abs().max().item()))
