"""DETA's choice of proposals without loops: the tokens that the host itself chooses, image by image."""

import pytest
import torch

from dsct_detrex.export import level_shares
from dsct_detrex.hosts import deta_transformer

CELLS = [48, 12, 4]


def scattered(images: int, spread: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Boxes that overlap the more, the smaller ``spread`` is; scores; the level of each token."""
    total = sum(CELLS)
    centres = 0.5 + spread * (torch.rand(images, total, 2) - 0.5)
    boxes = torch.cat([centres - 0.15, centres + 0.15], -1).clamp(0, 1)
    level = torch.arange(len(CELLS)).repeat_interleave(torch.tensor(CELLS))
    return boxes, torch.randn(images, total), level


@pytest.mark.parametrize("images", [1, 3])
@pytest.mark.parametrize(("spread", "count"), [(0.5, 10), (0.5, 30), (0.05, 10), (0.02, 4), (0.001, 10)])
def test_the_same_tokens_in_the_same_order(images: int, spread: float, count: int) -> None:
    boxes, scores, level = scattered(images, spread)
    expected = [
        deta_transformer.share_levels(
            deta_transformer.surviving_tokens(b, s, level, len(CELLS), count), level, len(CELLS), count
        )
        for b, s in zip(boxes, scores)
    ]
    kept = level_shares.surviving(boxes, scores, level, level_shares.best_of_levels(scores, CELLS))
    shared = level_shares.share_levels(scores, kept, level, len(CELLS), count)
    enough = kept.sum(1, keepdim=True) >= count
    found = torch.where(enough, shared, scores.topk(count, dim=1).indices)
    torch.testing.assert_close(found, torch.stack(expected), rtol=0, atol=0)


def test_a_level_sends_its_best_thousand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(level_shares, "CANDIDATES_PER_LEVEL", 3)
    scores = torch.tensor([[0.1, 0.9, 0.5, 0.3, 0.2, 0.7]])
    sent = level_shares.best_of_levels(scores, [5, 1])
    assert sent.tolist() == [[False, True, True, True, False, True]]
