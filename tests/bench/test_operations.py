"""Operations of layers, counted by hand."""

import pytest
import torch
from torch import nn

from dsct_detrex.bench.contracts import Size
from dsct_detrex.bench.gradients import forward_backward
from dsct_detrex.bench.operations import count_operations
from dsct_detrex.bench.sampling import make_sampling
from dsct_detrex.ops import fused_deformable_attn


def test_linear_and_convolution() -> None:
    linear, states = nn.Linear(8, 16), torch.zeros(5, 8)
    assert count_operations(lambda: linear(states)) == 2 * 5 * 8 * 16
    convolution, maps = nn.Conv2d(3, 4, 3, padding=1), torch.zeros(2, 3, 6, 7)
    assert count_operations(lambda: convolution(maps)) == 2 * 2 * 4 * 6 * 7 * 3 * 9


def test_backward_of_a_product_is_two_products() -> None:
    left, right = torch.zeros(4, 6), torch.zeros(6, 3)
    step = forward_backward(lambda a, b: a @ b, [left, right])
    assert count_operations(step) == 3 * 2 * 4 * 6 * 3


def test_products_without_gradients_count_too() -> None:
    linear = nn.Linear(8, 16)
    with torch.no_grad():
        assert count_operations(lambda: linear(torch.zeros(5, 8))) == 2 * 5 * 8 * 16


@pytest.mark.parametrize(("backward", "passes"), [(False, 1), (True, 3)])
def test_deformable_attention(backward: bool, passes: int) -> None:
    sampling = make_sampling(Size(64, 64), 5, torch.device("cpu"))

    def attend(*states: torch.Tensor) -> torch.Tensor:
        value, offsets, logits = states or (sampling.value, sampling.offsets, sampling.logits)
        return fused_deformable_attn(value, sampling.shapes, sampling.starts, sampling.references, offsets, logits)

    run = forward_backward(attend, [sampling.value, sampling.offsets, sampling.logits]) if backward else attend
    sampled_channels = 5 * 8 * 4 * 4 * 32  # queries, heads, levels, points, channels
    assert count_operations(run) == passes * 10 * sampled_channels
