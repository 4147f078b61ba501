"""The transformer layer: golden numbers of detrex for every order; copies, masks, checkpoints."""

import golden_io
import pytest
import torch
from torch import nn

from dsct_detrex.layers.attention import MultiheadAttention
from dsct_detrex.layers.mlp import FFN
from dsct_detrex.layers.multi_scale_deform_attn import MultiScaleDeformableAttention
from dsct_detrex.layers.transformer_layer import BaseTransformerLayer, TransformerLayerSequence

POST = ("self_attn", "norm", "cross_attn", "norm", "ffn", "norm")


@pytest.fixture(scope="module")
def golden():
    return golden_io.load("layers/base_transformer_layer")


def plain_layer(order, dropout=0.0):
    attention = MultiheadAttention(16, 4, attn_drop=dropout)
    return BaseTransformerLayer(attention, FFN(16, 24), nn.LayerNorm(16), order)


def check(golden, value, name):
    assert golden_io.max_abs_diff(value.detach(), golden[name]) <= golden.meta["tolerance"]["abs"]


@pytest.mark.parametrize("name", ["post", "pre", "encoder"])
def test_every_order_matches_detrex(golden, name):
    layer = plain_layer(golden.meta["config"]["operation_orders"][name]).eval()
    layer.load_state_dict(golden.state_dict(f"{name}."))
    if name == "encoder":
        out = layer(golden["in.query"], query_pos=golden["in.query_pos"])
    else:
        out = layer(
            golden["in.query"],
            golden["in.key"],
            golden["in.key"],
            query_pos=golden["in.query_pos"],
            key_pos=golden["in.key_pos"],
            attn_masks=[golden["in.self_attn_mask"], None],
            key_padding_mask=golden["in.key_padding_mask"],
        )
    check(golden, out, f"out.{name}")


def test_deformable_cross_attention_matches_detrex(golden):
    attentions = [
        MultiheadAttention(16, 4, batch_first=True),
        MultiScaleDeformableAttention(
            embed_dim=16, num_heads=4, num_levels=2, num_points=4, dropout=0.0, batch_first=True
        ),
    ]
    layer = BaseTransformerLayer(attentions, FFN(16, 24), nn.LayerNorm(16), POST).eval()
    layer.load_state_dict(golden.state_dict("deform."))
    out = layer(
        golden["in.deform_query"],
        value=golden["in.deform_value"],
        query_pos=golden["in.deform_query_pos"],
        key_padding_mask=golden["in.deform_key_padding_mask"],
        reference_points=golden["in.deform_reference_points"],
        spatial_shapes=golden["in.deform_spatial_shapes"],
        level_start_index=golden["in.deform_level_start_index"],
    )
    check(golden, out, "out.deform")


def test_padded_queries_do_not_reach_others():
    layer = plain_layer(("self_attn", "norm", "ffn", "norm")).eval()
    query, padding = torch.randn(5, 2, 16), torch.zeros(2, 5, dtype=torch.bool)
    padding[1, 3:] = True
    noisy = query.clone()
    noisy[3:, 1] = torch.randn(2, 16)
    out = [layer(q, query_key_padding_mask=padding) for q in (query, noisy)]
    torch.testing.assert_close(out[0][:3], out[1][:3], atol=0, rtol=0)


def test_one_attention_is_copied_for_each_use():
    layer = plain_layer(POST)
    assert layer.num_attn == 2
    assert layer.attentions[0] is not layer.attentions[1]
    assert layer.embed_dim == 16
    assert not layer.pre_norm


def test_a_bare_mask_is_refused():
    with pytest.raises(ValueError, match=r"attn_masks=\) expects a list of 2 masks .* Got a tensor \(3, 3\)\.$"):
        plain_layer(POST)(torch.zeros(3, 1, 16), torch.zeros(2, 1, 16), attn_masks=torch.zeros(3, 3))


def test_wrong_orders_and_counts_are_refused():
    with pytest.raises(ValueError, match="operation_order"):
        plain_layer(("self_attn", "normal"))
    with pytest.raises(ValueError, match=r"expects 2 attentions for .* Got 1\.$"):
        BaseTransformerLayer([MultiheadAttention(16, 4)], FFN(16, 24), nn.LayerNorm(16), POST)


def test_stack_copies_a_layer_and_takes_a_list():
    layer = plain_layer(POST)
    copied = TransformerLayerSequence(layer, 3)
    assert copied.num_layers == len(copied.layers) == 3
    assert layer not in list(copied.layers)
    listed = TransformerLayerSequence([layer], 1)
    assert listed.layers[0] is layer
    with pytest.raises(ValueError, match=r"expects 2 layers\. Got 1\.$"):
        TransformerLayerSequence([layer], 2)


def test_checkpointed_layer_gives_the_same_gradients():
    layer = plain_layer(("self_attn", "norm", "ffn", "norm"))
    gradients = []
    for use_checkpoint in (False, True):
        stack = TransformerLayerSequence([layer], 1, use_checkpoint)
        query = torch.linspace(-1, 1, 80).reshape(5, 1, 16).requires_grad_()
        stack.run_layer(stack.layers[0], query, query_pos=query * 2).square().sum().backward()
        gradients.append(query.grad)
    torch.testing.assert_close(gradients[0], gradients[1], atol=0, rtol=0)
