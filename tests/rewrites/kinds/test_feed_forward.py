"""Feed-forward networks and the end of encoder layers, piece by piece."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from dsct_detrex.hosts import DeformableDetrTransformerEncoder
from dsct_detrex.layers.mlp import FFN
from dsct_detrex.rewrites import rewritten
from dsct_detrex.rewrites.kinds import feed_forward
from tests.rewrites.kinds.same import assert_close, assert_same, standing


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_forward, "PIECE", 4)


@pytest.mark.parametrize(("count", "expected"), [(1, [(0, 1)]), (4, [(0, 4)]), (9, [(0, 4), (4, 8), (8, 9)])])
def test_pieces(count: int, expected: list[tuple[int, int]]) -> None:
    assert feed_forward.pieces(count) == expected


@pytest.mark.parametrize("shape", [(2, 5), (5, 2), (13,), (1, 8)])
@pytest.mark.parametrize(
    "changes", [{}, {"num_fcs": 3}, {"output_dim": 6, "add_identity": False}, {"activation": nn.GELU()}]
)
def test_numbers(changes: dict[str, object], shape: tuple[int, ...]) -> None:
    module = FFN(8, 16, **changes).eval()  # type: ignore[arg-type]
    x = torch.randn(*shape, 8)
    before = x.clone()
    assert_same(module, "feed_forward", x, prepares=False)
    assert_same(module, "feed_forward", x.transpose(0, -2), prepares=False)
    if module.add_identity:
        assert_same(module, "feed_forward", x, torch.randn_like(x), prepares=False)
    assert torch.equal(x, before)


def test_double_precision() -> None:
    assert_same(FFN(8, 16).eval().double(), "feed_forward", torch.randn(9, 8).double(), prepares=False)


@pytest.mark.parametrize("post_norm", [False, True])
def test_encoder_layers(post_norm: bool) -> None:
    encoder = DeformableDetrTransformerEncoder(16, 2, 32, num_layers=2, num_feature_levels=2, post_norm=post_norm)
    encoder.eval()
    tokens = 5 * 3 + 3 * 2
    inputs = dict(
        query_pos=torch.randn(2, tokens, 16),
        query_key_padding_mask=torch.rand(2, tokens) < 0.2,
        reference_points=torch.rand(2, tokens, 2, 2),
        spatial_shapes=torch.tensor([[5, 3], [3, 2]]),
        level_start_index=torch.tensor([0, 15]),
    )
    x = torch.randn(2, tokens, 16)
    with torch.no_grad():
        plain = encoder(x, **inputs)
        with rewritten(encoder, ["token_wise"]) as rewriting:
            assert rewriting.counts == {"token_wise": 2}
            assert_close(encoder(x, **inputs), plain)
        with rewritten(encoder):
            assert_close(encoder(x, **inputs), plain)


def test_what_is_no_feed_forward() -> None:
    class Other(nn.Module):
        add_identity = True
        layers = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4), nn.Dropout())

    assert not feed_forward.FeedForward.fits(Other())
    assert standing(Other()) is None
