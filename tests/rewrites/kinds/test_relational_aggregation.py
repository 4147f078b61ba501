"""The fused step against plain fusion: states, choices, weights and gradients, on every host and in half precision."""

import copy

import pytest
import torch
from torch import Tensor

from dsct_detrex.dsct import Aggregation, RelationalAggregation
from dsct_detrex.dsct.choices import Places
from dsct_detrex.rewrites import rewrite
from tests.dsct.tiny import batch, tiny_dsct

FUSIONS = [
    {"formula": formula, "k_spatial": near, "k_semantic": relevant}
    for formula in ("official", "paper")
    for near, relevant in ((6, 4), (0, 4), (6, 0), (0, 0), (100, 100))
]
M, N, C = 20, 4, 8


def states(dtype: torch.dtype = torch.float32) -> tuple[Tensor, Places]:
    torch.manual_seed(0)
    return torch.randn(2, M + N, C, dtype=dtype), Places(torch.rand(2, M + N, 2), M)


def both(fusion, *arguments, queries: Tensor) -> list[tuple[Aggregation, Tensor]]:
    """What plain and fused make of the same states, and the gradient of the states under one and the same weighing."""
    plain, found = RelationalAggregation(**fusion), []
    fused = copy.deepcopy(plain)
    assert rewrite(fused).counts == {"relational_aggregation": 1}
    weighing = torch.randn_like(queries)
    for module in (plain, fused):
        mine = queries.clone().requires_grad_()
        out = module(mine, *arguments)
        (out.queries * weighing).sum().backward()
        found.append((out, mine.grad))
    return found


@pytest.mark.parametrize("fusion", FUSIONS, ids=lambda fusion: "-".join(map(str, fusion.values())))
@pytest.mark.parametrize("masked", [False, True])
def test_it_computes_what_plain_fusion_does(fusion, masked):
    queries, places = states()
    groups = torch.tensor([0, 0, 1, 1])
    mask = groups[:, None] != groups if masked else None
    (plain, gradient), (fused, fused_gradient) = both(fusion, places, mask, queries=queries)
    torch.testing.assert_close(fused.queries, plain.queries, rtol=0, atol=1e-6)
    torch.testing.assert_close(fused.weights, plain.weights, rtol=0, atol=1e-6)
    torch.testing.assert_close(fused_gradient, gradient, rtol=0, atol=1e-5)
    assert torch.equal(fused.spatial_index, plain.spatial_index)
    assert torch.equal(fused.semantic_index, plain.semantic_index)
    assert not any(out.weights.requires_grad for out in (fused, plain))


@pytest.mark.parametrize("formula", ["official", "paper"])
def test_its_gradient_is_that_of_finite_differences(formula):
    queries, places = states(torch.float64)
    module = RelationalAggregation(formula, 6, 4)
    rewrite(module)
    assert torch.autograd.gradcheck(lambda q: module(q, places).queries, queries.mul(0.3).requires_grad_())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_sequence_first_states_and_their_dtype_are_kept(dtype):
    queries, places = states()
    queries = queries.to(dtype).transpose(0, 1).contiguous().transpose(0, 1)
    module = RelationalAggregation("official", 6, 4)
    plain = module(queries, places).queries
    rewrite(module)
    fused = module(queries, places).queries
    assert fused.dtype == dtype
    assert fused.stride() == queries.stride()
    torch.testing.assert_close(fused, plain)


def test_under_autocast_it_keeps_the_precision_of_the_states():
    queries, places = states()
    module = RelationalAggregation("official", 6, 4)
    exact = module(queries, places).queries
    with torch.autocast("cpu", torch.bfloat16):
        rounded = module(queries, places).queries
        rewrite(module)
        queries.requires_grad_()
        fused = module(queries, places).queries
        fused.sum().backward()
    torch.testing.assert_close(fused, exact, rtol=0, atol=1e-6)
    assert (rounded - exact).abs().max() > 1e-4


def test_shapes_without_numbers():
    queries, places = states()
    module = RelationalAggregation("official", 6, 4)
    rewrite(module)
    assert module(queries.to("meta"), Places(places.points.to("meta"), M)).queries.shape == queries.shape


@pytest.mark.parametrize("reweighting", ["equal", "spatial", "attentive"])
def test_other_reweightings_stay_plain(reweighting):
    assert not rewrite(RelationalAggregation(reweighting=reweighting, embed_dim=C), "relational_aggregation").counts


@pytest.mark.parametrize("host", ["deformable_detr", "dino", "detr", "anchor_detr", "dn_detr"])
def test_a_training_step_is_the_same(host):
    torch.manual_seed(0)
    model = tiny_dsct(host).train()
    entries, gradients = batch(), []
    for which in ("none", "relational_aggregation"):
        rewrite(model, which)
        model.zero_grad()
        losses = model(entries)
        sum(losses.values()).backward()
        gradients.append({name: p.grad for name, p in model.named_parameters() if p.grad is not None})
    plain, fused = gradients
    assert plain.keys() == fused.keys()
    for name in plain:
        torch.testing.assert_close(fused[name], plain[name], rtol=1e-4, atol=1e-5, msg=name)
