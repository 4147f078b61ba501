"""Row-column decoupled attention: golden numbers of detrex, its definition, what its mask hides and what not."""

import golden_io
import pytest
import torch

from dsct_detrex.layers.row_column_attention import MultiheadRCDA, _weighted_sum

INPUTS = ("query_row", "query_col", "key_row", "key_col", "value")


@pytest.fixture(scope="module")
def golden():
    return golden_io.load("layers/rcda")


@pytest.fixture(scope="module")
def attention(golden):
    module = MultiheadRCDA(**golden.meta["config"])
    module.load_state_dict(golden.state_dict())
    return module.eval()


def inputs_of(golden):
    return [golden[f"in.{name}"] for name in INPUTS]


def check(golden, value, name):
    assert golden_io.max_abs_diff(value.detach(), golden[name]) <= golden.meta["tolerance"]["abs"]


def test_matches_detrex(golden, attention):
    out, weights = attention(*inputs_of(golden), key_padding_mask=golden["in.key_padding_mask"], need_weights=True)
    check(golden, out, "out.output")
    check(golden, weights, "out.weights")


def test_matches_detrex_without_mask(golden, attention):
    out, weights = attention(*inputs_of(golden))
    check(golden, out, "out.output_nomask")
    assert weights is None


def test_matches_detrex_on_a_tall_map(golden, attention):
    query_row, query_col, *maps = inputs_of(golden)
    mask = golden["in.key_padding_mask"].transpose(1, 2)
    out, _ = attention(query_row, query_col, *(x.transpose(1, 2) for x in maps), key_padding_mask=mask)
    check(golden, out, "out.output_tall")


def test_keys_may_come_averaged(golden, attention):
    query_row, query_col, key_row, key_col, value = inputs_of(golden)
    whole, _ = attention(query_row, query_col, key_row, key_col, value)
    averaged, _ = attention(query_row, query_col, key_row.mean(1, True), key_col.mean(2, True), value)
    torch.testing.assert_close(whole, averaged, atol=1e-6, rtol=0)


@pytest.mark.parametrize(("height", "width", "channels"), [(3, 5, 8), (5, 3, 8), (3, 9, 4), (9, 3, 4), (6, 6, 6)])
def test_both_orders_of_summing_give_the_product_of_weights(height, width, channels):
    row, col = torch.rand(2, 2, 7, width).softmax(-1), torch.rand(2, 2, 7, height).softmax(-1)
    value = torch.randn(2, 2, height, width, channels)
    expected = torch.einsum("bnqw,bnqh,bnhwd->bnqd", row, col, value)
    torch.testing.assert_close(_weighted_sum(row, col, value), expected)


def test_weights_are_a_distribution_over_the_valid_pixels(golden, attention):
    mask = golden["in.key_padding_mask"]
    weights = attention(*inputs_of(golden), key_padding_mask=mask, need_weights=True)[1]
    torch.testing.assert_close(weights.sum((2, 3)), torch.ones(5, 2))
    assert (weights[mask.expand(5, -1, -1, -1)] == 0).all()
    assert (weights[~mask.expand(5, -1, -1, -1)] > 0).all()


def test_padded_values_are_hidden_and_padded_keys_only_shift_the_averages(golden, attention):
    mask = golden["in.key_padding_mask"]
    query_row, query_col, key_row, key_col, value = inputs_of(golden)
    noise = torch.randn_like(value) * mask[..., None]

    def attend(key_row, key_col, value):
        return attention(query_row, query_col, key_row, key_col, value, key_padding_mask=mask)[0]

    clean = attend(key_row, key_col, value)
    torch.testing.assert_close(attend(key_row, key_col, value + noise), clean, atol=0, rtol=0)
    assert (attend(key_row + noise, key_col + noise, value) - clean).abs().max() > 1e-3
    shifted = attend(key_row + noise.mean(1, True), key_col + noise.mean(2, True), value)
    torch.testing.assert_close(attend(key_row + noise, key_col + noise, value), shifted, atol=1e-5, rtol=0)


def test_gradients_are_those_of_the_definition(golden, attention):
    tensors = [x.double().requires_grad_() for x in inputs_of(golden)]
    module = MultiheadRCDA(**golden.meta["config"]).double()
    module.load_state_dict(attention.state_dict())
    assert torch.autograd.gradcheck(lambda *x: module(*x)[0], tensors, fast_mode=True)


def test_weight_dropout_acts_in_training_only():
    attention = MultiheadRCDA(8, 2, dropout=0.5)
    inputs = [torch.randn(1, 6, 8)] * 2 + [torch.randn(1, 4, 5, 8)] * 3
    assert not torch.equal(attention(*inputs)[0], attention(*inputs)[0])
    attention.eval()
    assert torch.equal(attention(*inputs)[0], attention(*inputs)[0])


def test_projections_may_lack_a_bias():
    attention = MultiheadRCDA(8, 2, bias=False)
    assert set(attention.state_dict()) == {"in_proj_weight", "out_proj.weight"}
    zeros = [torch.zeros(1, 6, 8)] * 2 + [torch.zeros(1, 4, 5, 8)] * 3
    assert (attention(*zeros)[0] == 0).all()


def test_heads_must_divide_the_channels():
    with pytest.raises(ValueError, match=r"expects a multiple of its 3 heads\. Got 8\.$"):
        MultiheadRCDA(8, 3)
