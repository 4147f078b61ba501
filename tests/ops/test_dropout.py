"""Dropout from a seed: how many zeros, where, and what the others become."""

import pytest
import torch

pytest.importorskip("numba")

from dsct_detrex.ops.dropout import can_drop, draw_seed, drop

FLOATS = (torch.float32, torch.float64, torch.bfloat16, torch.float16)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("probability", [0.1, 0.5, 0.9])
def test_as_many_zeros_as_asked_and_the_others_are_scaled(dtype, probability):
    x = torch.full((400_000,), 2.0, dtype=dtype)
    dropped = drop(x, probability, draw_seed())
    assert (dropped == 0).float().mean().item() == pytest.approx(probability, abs=0.005)
    expected = torch.tensor(2.0, dtype=dtype) * (1 / (1 - probability))
    assert dropped.unique().tolist() == [0.0, expected.item()]
    assert (x == 2).all()


def test_seeds_draw_independently_and_repeat_themselves():
    x = torch.ones(400_000)
    one, same, other = (drop(x, 0.5, seed) != 0 for seed in (7, 7, 8))
    assert torch.equal(one, same)
    assert (one & other).float().mean().item() == pytest.approx(0.25, abs=0.005)
    high = drop(x, 0.5, 7 + 2**32) != 0
    assert (one & high).float().mean().item() == pytest.approx(0.25, abs=0.005)
    assert (one[1:] & one[:-1]).float().mean().item() == pytest.approx(0.25, abs=0.005)


@pytest.mark.parametrize("threads", [1, 3])
def test_pieces_draw_what_the_whole_draws(threads):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        x = torch.randn(300_000)
        whole = drop(x, 0.3, 5)
        parts = [drop(x[i : i + 70_000], 0.3, 5, offset=i) for i in range(0, len(x), 70_000)]
    finally:
        torch.set_num_threads(before)
    assert torch.equal(whole, torch.cat(parts))


def test_in_place_and_of_strided_numbers():
    x = torch.randn(64, 48)
    expected = drop(x.t().contiguous(), 0.3, 5)
    assert torch.equal(drop(x.t(), 0.3, 5), expected)
    own = x.t().contiguous()
    assert drop(own, 0.3, 5, out=own) is own
    assert torch.equal(own, expected)


@pytest.mark.parametrize("dtype", FLOATS)
def test_rectified(dtype):
    x = torch.randn(1000, dtype=torch.float64).to(dtype)
    torch.testing.assert_close(drop(x, 0.4, 3, 1.0, rectify=True), drop(x, 0.4, 3, 1.0).relu(), rtol=0, atol=0)


def test_nan_is_not_hidden():
    x = torch.full((1000,), torch.nan)
    kept = drop(x, 0.2, 3, rectify=True)
    assert kept.isnan().float().mean().item() == pytest.approx(0.8, abs=0.05)


def test_the_generator_decides():
    torch.manual_seed(3)
    first, second = draw_seed(), draw_seed()
    torch.manual_seed(3)
    assert (draw_seed(), draw_seed()) == (first, second)
    assert first != second


def test_other_tensors_are_left_to_torch():
    assert can_drop(torch.ones(1))
    assert not can_drop(torch.ones(1, dtype=torch.int64))
    assert not can_drop(torch.ones(1, device="meta"))
