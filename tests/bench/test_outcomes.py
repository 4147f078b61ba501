"""Differences of nested results."""

import math
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from dsct_detrex.bench.outcomes import bytes_of, largest_difference, tensors_of

ONE, TWO = torch.tensor([0.5, 0.25]), torch.tensor([0.5, 0.5])


@dataclass
class Box:
    value: Tensor
    name: str = "box"


@pytest.mark.parametrize(
    ("ours", "theirs", "apart"),
    [
        (ONE, ONE, 0.0),
        (ONE, TWO, 0.25),
        ([ONE, {"a": (ONE, Box(TWO))}], [ONE, {"a": (ONE, Box(ONE))}], 0.25),
        (1000 * ONE, 1000 * TWO, 0.5),  # relative where numbers exceed 1
        (ONE, ONE[:1], math.inf),
        ([ONE], [ONE, ONE], math.inf),
        (torch.tensor([math.nan, 0.0]), TWO, math.inf),
        ([torch.zeros(0), ONE], [torch.zeros(0), ONE], 0.0),
    ],
)
def test_largest_difference(ours: Any, theirs: Any, apart: float) -> None:
    assert largest_difference(ours, theirs) == pytest.approx(apart)


def test_indices_are_not_compared_and_cost_no_bytes() -> None:
    assert [tensor.tolist() for tensor in tensors_of([torch.tensor([1]), ONE])] == [ONE.tolist()]
    assert math.isnan(largest_difference(torch.tensor([1]), torch.tensor([2])))
    assert bytes_of(ONE, [ONE.double()], torch.tensor([1])) == 8 + 16
