"""The attention wrapper: golden numbers of detrex, masks, layouts."""

import golden_io
import pytest
import torch

from dsct_detrex.layers.attention import MultiheadAttention


@pytest.fixture(scope="module")
def golden():
    return golden_io.load("layers/attention")


@pytest.fixture(scope="module")
def attention(golden):
    module = MultiheadAttention(**golden.meta["config"]).eval()
    module.load_state_dict(golden.state_dict("mha."))
    return module


def check(golden, value, name):
    assert golden_io.max_abs_diff(value.detach(), golden[name]) <= golden.meta["tolerance"]["abs"]


def test_self_attention_matches_detrex(golden, attention):
    out = attention(golden["in.query"], query_pos=golden["in.query_pos"], attn_mask=golden["in.self_attn_mask"])
    check(golden, out, "out.mha_self")


@pytest.mark.parametrize(("name", "identity"), [("out.mha_cross", None), ("out.mha_cross_identity", "in.identity")])
def test_cross_attention_matches_detrex(golden, attention, name, identity):
    out = attention(
        golden["in.query"],
        golden["in.key"],
        golden["in.key"],
        None if identity is None else golden[identity],
        query_pos=golden["in.query_pos"],
        key_pos=golden["in.key_pos"],
        key_padding_mask=golden["in.key_padding_mask"],
        reference_points="ignored",
    )
    check(golden, out, name)


def test_batch_first_is_a_transpose(golden, attention):
    other = MultiheadAttention(**{**golden.meta["config"], "batch_first": True}).eval()
    other.load_state_dict(attention.state_dict())
    query, key = golden["in.query"], golden["in.key"]
    out = other(query.transpose(0, 1), key.transpose(0, 1))
    torch.testing.assert_close(out.transpose(0, 1), attention(query, key))


def test_padded_keys_do_not_count(golden, attention):
    key, padding = golden["in.key"], golden["in.key_padding_mask"]
    noisy = torch.where(padding.T[..., None], torch.randn_like(key), key)
    out = [attention(golden["in.query"], k, key_padding_mask=padding) for k in (key, noisy)]
    torch.testing.assert_close(out[0], out[1], atol=0, rtol=0)


def test_weight_dropout_acts_in_training_only():
    attention = MultiheadAttention(8, 2, attn_drop=0.5)
    x = torch.randn(6, 1, 8)
    assert not torch.equal(attention(x), attention(x))
    assert torch.equal(attention.eval()(x), attention(x))
