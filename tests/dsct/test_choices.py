"""A choice against a stable sort, ties included, and how often distances are measured."""

import pytest
import torch
from torch import Tensor

from dsct_detrex.dsct import choices
from dsct_detrex.dsct.choices import Choice, Places

SCORES = {
    "no ties": lambda: torch.randn(2, 3, 40),
    "many ties": lambda: torch.randint(0, 4, (2, 3, 40)).float(),
    "all equal": lambda: torch.zeros(2, 3, 40),
    "infinite": lambda: torch.randn(2, 3, 40).masked_fill(torch.rand(2, 3, 40) < 0.5, torch.inf),
    "double": lambda: torch.randn(2, 3, 40, dtype=torch.float64),
    "half": lambda: torch.randn(2, 3, 40, dtype=torch.bfloat16),
    "no contexts": lambda: torch.zeros(2, 3, 0),
}


def as_mask(index: Tensor, scores: Tensor) -> Tensor:
    return torch.zeros_like(scores, dtype=torch.bool).scatter_(-1, index, True)


@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("k", [0, 1, 7, 39, 40, 100])
@pytest.mark.parametrize("scores", SCORES)
def test_the_set_is_the_first_k_of_a_stable_sort(scores, k, largest):
    torch.manual_seed(0)
    choice = Choice(SCORES[scores](), k, largest)
    by_sorting = choice.scores.argsort(dim=-1, descending=largest, stable=True)[..., :k]
    assert torch.equal(choice.index, by_sorting)
    assert torch.equal(choice.mask, as_mask(by_sorting, choice.scores))


def test_ties_take_the_lower_index():
    assert Choice(torch.zeros(1, 1, 6), 3).index[0, 0].tolist() == [0, 1, 2]
    assert Choice(torch.zeros(1, 1, 6), 3, largest=True).mask[0, 0].tolist() == [True] * 3 + [False] * 3


def test_distances_are_measured_once(monkeypatch):
    measured = []
    distance = choices.squared_distance
    monkeypatch.setattr(choices, "squared_distance", lambda *xy: measured.append(xy) or distance(*xy))
    places = Places(torch.tensor([[[0.0, 0.0], [0.5, 0.5], [1.0, 1.0], [0.4, 0.4]]]), 3)
    assert places.nearest(2).index[0, 0].tolist() == [1, 0]
    assert places.nearest(2).mask is places.nearest(2).mask
    assert len(measured) == 1
    assert places.nearest(1).index[0, 0].tolist() == [1]
