"""Conditional attention: golden numbers of detrex, masks, and what a head compares."""

import golden_io
import pytest
import torch

from dsct_detrex.layers.conditional_attention import (
    ConditionalCrossAttention,
    ConditionalSelfAttention,
    modulate_by_size,
)


@pytest.fixture(scope="module")
def golden():
    return golden_io.load("layers/attention")


def module_of(golden, kind, prefix):
    module = kind(**golden.meta["config"]).eval()
    module.load_state_dict(golden.state_dict(prefix))
    return module


@pytest.fixture(scope="module")
def self_attention(golden):
    return module_of(golden, ConditionalSelfAttention, "csa.")


@pytest.fixture(scope="module")
def cross_attention(golden):
    return module_of(golden, ConditionalCrossAttention, "cca.")


def cross(golden, attention, **changes):
    names = ("query", "key", "query_pos", "key_pos", "query_sine_embed")
    given = {name: golden[f"in.{name}"] for name in names}
    return attention(**{"value": golden["in.key"], **given, **changes})


def check(golden, value, name):
    assert golden_io.max_abs_diff(value.detach(), golden[name]) <= golden.meta["tolerance"]["abs"]


@pytest.mark.parametrize(("name", "mask"), [("out.csa", None), ("out.csa_masked", "in.self_attn_mask")])
def test_self_attention_matches_detrex(golden, self_attention, name, mask):
    out = self_attention(
        golden["in.query"],
        query_pos=golden["in.query_pos"],
        attn_mask=None if mask is None else golden[mask],
        reference_points="ignored",
    )
    check(golden, out, name)


def test_cross_attention_matches_detrex(golden, cross_attention):
    masked = cross(golden, cross_attention, is_first_layer=True, key_padding_mask=golden["in.key_padding_mask"])
    check(golden, masked, "out.cca_first")
    check(golden, cross(golden, cross_attention), "out.cca_later")


def test_later_layers_need_no_projected_position(golden):
    attention = module_of(golden, ConditionalCrossAttention, "cca.")
    attention.query_pos_proj = None
    check(golden, cross(golden, attention), "out.cca_later")
    assert not any(name.startswith("query_pos_proj") for name in attention.state_dict())


def test_blocked_and_padded_keys_do_not_count(golden, self_attention):
    query, position = golden["in.query"], golden["in.query_pos"]
    blocked = torch.zeros(6, 6, dtype=torch.bool)
    blocked[:4, 4] = True
    padding = torch.zeros(2, 6, dtype=torch.bool)
    padding[1, 5] = True
    changed = query.clone()
    changed[4] += 1.0
    changed[5, 1] += 1.0
    first, second = (
        self_attention(x, query_pos=position, attn_mask=blocked, key_padding_mask=padding) for x in (query, changed)
    )
    assert torch.equal(first[:4, 1], second[:4, 1])
    free = [self_attention(x, query_pos=position) for x in (query, changed)]
    assert not torch.allclose(free[0][:4, 1], free[1][:4, 1])


def test_float_masks_are_added_to_the_scores(golden, self_attention):
    query, position = golden["in.query"], golden["in.query_pos"]
    blocked = golden["in.self_attn_mask"]
    as_float = torch.zeros(blocked.shape, dtype=torch.float64).masked_fill(blocked, -torch.inf)
    found = [self_attention(query, query_pos=position, attn_mask=mask) for mask in (blocked, as_float)]
    torch.testing.assert_close(found[0], found[1], atol=0, rtol=0)


def test_identity_replaces_the_query_in_the_sum(golden, cross_attention):
    identity = golden["in.identity"]
    plain, other = cross(golden, cross_attention), cross(golden, cross_attention, identity=identity)
    torch.testing.assert_close(other - identity, plain - golden["in.query"])


def test_weight_dropout_acts_in_training_only():
    attention = ConditionalSelfAttention(8, 2, attn_drop=0.5)
    x = torch.randn(6, 1, 8)
    assert not torch.equal(attention(x, query_pos=x), attention(x, query_pos=x))
    assert torch.equal(attention.eval()(x, query_pos=x), attention(x, query_pos=x))


@pytest.mark.parametrize("kind", [ConditionalSelfAttention, ConditionalCrossAttention])
def test_batch_first_is_refused(kind):
    with pytest.raises(ValueError, match=rf"^{kind.__name__}\(batch_first=\) expects False: .* Got True\.$"):
        kind(8, 2, batch_first=True)


def test_size_modulation_by_hand():
    """Height scales the y half, width the x half, each as expected size over present size."""
    boxes = torch.tensor([0.5, 0.5, 0.2, 0.4])
    out = modulate_by_size(torch.ones(4), torch.tensor([0.1, 0.8]), boxes)
    torch.testing.assert_close(out, torch.tensor([2.0, 2.0, 0.5, 0.5]))
