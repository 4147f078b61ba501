"""Every variant of fusion keeps one contract: formulas, scaled products, projections, heads and their controls."""

import copy
import itertools
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from dsct_detrex.dsct import FORMULAS, RelationalAggregation, Softmax, register_formula
from dsct_detrex.dsct.choices import Places
from dsct_detrex.errors import UserError
from dsct_detrex.rewrites import rewrite
from tests.dsct.tiny import batch, images, randomised, tiny_dsct

KINDS = ["detr", "anchor_detr", "deformable_detr", "dino"]
M, N, C = 20, 4, 8
PLAIN = [
    {"formula": formula, "scale_products": scaled, "project": projected}
    for formula, scaled, projected in itertools.product(("official", "paper"), (False, True), (False, True))
]
MULTI_HEAD = {"formula": "multi_head", "num_heads": 2}
ATTENTIVE = {"formula": "paper", "reweighting": "attentive"}
VARIANTS: list[dict[str, Any]] = [*PLAIN, MULTI_HEAD, ATTENTIVE]


def words(variant: dict[str, Any]) -> str:
    return "-".join(f"{name}={value}" for name, value in variant.items())


on_every_variant = pytest.mark.parametrize("variant", VARIANTS, ids=words)


def built(variant: dict[str, Any], **switches: Any) -> RelationalAggregation:
    """With weights that hide nothing; six near contexts and four relevant ones."""
    torch.manual_seed(0)
    sizes = {"k_spatial": 6, "k_semantic": 4, "embed_dim": C}
    module = RelationalAggregation(**(sizes | variant | switches)).double()
    randomised(module, 0.3)
    return module


def states(dtype: torch.dtype = torch.float64) -> tuple[Tensor, Places]:
    torch.manual_seed(1)
    return torch.randn(2, M + N, C, dtype=dtype), Places(torch.rand(2, M + N, 2), M)


def test_every_formula_has_a_variant() -> None:
    assert {variant["formula"] for variant in VARIANTS} == set(FORMULAS)


def test_defaults_own_no_weights() -> None:
    assert not RelationalAggregation().state_dict()
    assert not RelationalAggregation("paper", scale_products=True, gather="self").state_dict()


@on_every_variant
def test_the_order_of_contexts_does_not_matter(variant: dict[str, Any]) -> None:
    module, (queries, places) = built(variant), states()
    order = torch.cat([torch.randperm(M), torch.arange(M, M + N)])
    first = module(queries, places)
    second = module(queries[:, order], Places(places.points[:, order], M))
    torch.testing.assert_close(second.subjects, first.subjects, rtol=0, atol=1e-12)
    torch.testing.assert_close(second.weights, first.weights[..., order[:M]], rtol=0, atol=1e-12)


@on_every_variant
def test_contexts_leave_as_they_came(variant: dict[str, Any]) -> None:
    queries, places = states()
    assert torch.equal(built(variant)(queries, places).queries[:, :M], queries[:, :M])


@on_every_variant
@pytest.mark.parametrize("gather", ["contexts", "self"])
def test_a_masked_subject_changes_nothing(variant: dict[str, Any], gather: str) -> None:
    module, (queries, places) = built(variant, gather=gather), states()
    groups = torch.tensor([0, 0, 1, 1])
    changed = torch.cat([queries[:, : M + 2], torch.randn(2, 2, C, dtype=queries.dtype)], 1)
    first, second = (module(x, places, groups[:, None] != groups).subjects[:, :2] for x in (queries, changed))
    assert torch.equal(first, second)
    unmasked = module(changed, places).subjects[:, :2]
    among_subjects = FORMULAS[variant["formula"]].among_subjects and gather == "contexts"
    assert torch.equal(unmasked, module(queries, places).subjects[:, :2]) != among_subjects


@on_every_variant
def test_only_chosen_contexts_are_gathered(variant: dict[str, Any]) -> None:
    """Weights lie where a list chose, and a context that no list of a subject chose gives nothing to it."""
    module, (queries, places) = built(variant), states()
    queries = queries.clone().requires_grad_()
    out = module(queries, places)
    chosen = out.nearest.mask | out.relevant.mask
    assert torch.equal(out.weights > 0, chosen)
    for subject in range(N):
        (gradient,) = torch.autograd.grad(out.subjects[:, subject].square().sum(), queries, retain_graph=True)
        assert torch.equal(gradient[:, :M].abs().sum(-1) > 0, chosen[:, subject])


@pytest.mark.parametrize("variant", [v for v in VARIANTS if v.get("project") or v is MULTI_HEAD], ids=words)
@pytest.mark.parametrize("gather", ["contexts", "self"])
def test_a_fresh_projection_adds_nothing(variant: dict[str, Any], gather: str) -> None:
    module = RelationalAggregation(**variant, k_spatial=6, k_semantic=4, embed_dim=C, gather=gather).double()
    queries, places = states()
    assert torch.equal(module(queries, places).queries, queries)
    assert torch.isfinite(module(queries, places).weights).all()


@on_every_variant
def test_the_control_gathers_nobody_else_with_the_same_weights(variant: dict[str, Any]) -> None:
    module, control = built(variant), built(variant, gather="self")
    control.load_state_dict(module.state_dict())
    queries, places = states()
    queries = queries.clone().requires_grad_()
    out = control(queries, places)
    assert not out.weights.any()
    assert out.spatial_index.numel() == out.semantic_index.numel() == 0
    for subject in range(N):
        (gradient,) = torch.autograd.grad(out.subjects[:, subject].square().sum(), queries, retain_graph=True)
        others = torch.arange(M + N) != M + subject
        assert not gradient[:, others].any()
        assert gradient[:, ~others].all()
    (gradient,) = torch.autograd.grad(module(queries, places).subjects.square().sum(), queries)
    assert gradient[:, :M].any()


@pytest.mark.parametrize(
    ("switches", "sums"),
    [
        ({"formula": "paper"}, 1),
        ({"formula": "paper", "k_spatial": 0}, 1),
        ({"formula": "paper", "k_spatial": 0, "k_semantic": 0}, 0),
        ({"formula": "official"}, 3),
        ({"formula": "official", "k_spatial": 0}, 2),
    ],
)
def test_the_control_adds_a_subject_for_every_softmax(switches: dict[str, Any], sums: int) -> None:
    queries, places = states()
    subjects = queries[:, M:]
    torch.testing.assert_close(built(switches, gather="self")(queries, places).subjects, (1 + sums) * subjects)
    module = built(switches, gather="self", project=True)
    assert module.out_proj is not None
    expected = subjects + module.out_proj(sums * subjects)
    torch.testing.assert_close(module(queries, places).subjects, expected)


@on_every_variant
@pytest.mark.parametrize("gather", ["contexts", "self"])
def test_gradients_are_those_of_finite_differences(variant: dict[str, Any], gather: str) -> None:
    module, (queries, places) = built(variant, gather=gather), states()
    weights = [weight.detach().requires_grad_() for weight in module.parameters()]
    names = [name for name, _ in module.named_parameters()]

    def subjects(queries: Tensor, *weights: Tensor) -> Tensor:
        out = torch.func.functional_call(module, dict(zip(names, weights)), (queries, places))
        return out.subjects[:1, :2]

    assert torch.autograd.gradcheck(subjects, (queries.mul(0.3).requires_grad_(), *weights), fast_mode=True)


@on_every_variant
@pytest.mark.parametrize("gather", ["contexts", "self"])
@pytest.mark.parametrize(("k_spatial", "k_semantic"), [(0, 0), (0, 4), (6, 0), (99, 99)])
def test_lists_may_be_empty_or_longer_than_there_are_contexts(
    variant: dict[str, Any], gather: str, k_spatial: int, k_semantic: int
) -> None:
    module = built(variant, gather=gather, k_spatial=k_spatial, k_semantic=k_semantic)
    queries, places = states()
    out = module(queries, places)
    assert torch.isfinite(out.queries).all()
    assert bool(out.weights.any()) == module.takes_in_contexts
    assert module.takes_in_contexts == (gather == "contexts" and k_spatial + k_semantic > 0)


@on_every_variant
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_kept(variant: dict[str, Any], dtype: torch.dtype) -> None:
    module, (queries, places) = built(variant), states()
    out = module.to(dtype)(queries.to(dtype), places)
    assert out.queries.dtype == dtype
    assert torch.isfinite(out.queries).all()


@on_every_variant
@pytest.mark.parametrize("gather", ["contexts", "self"])
def test_a_rewrite_takes_what_it_computes_and_nothing_else(variant: dict[str, Any], gather: str) -> None:
    module = built(variant, gather=gather)
    twin = copy.deepcopy(module)
    fitting = variant in PLAIN and not variant["project"] and gather == "contexts"
    assert bool(rewrite(twin, "relational_aggregation").counts) == fitting
    queries, places = states()
    results = []
    for one in (module, twin):
        mine = queries.clone().requires_grad_()
        out = one(mine, places)
        (gradient,) = torch.autograd.grad(out.queries.sin().sum(), mine)
        results.append((out.queries, out.weights, gradient))
    for mine, theirs in zip(*results, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-12)
    if fitting:
        assert torch.autograd.gradcheck(lambda q: twin(q, places).queries, queries.mul(0.3).requires_grad_())


@pytest.mark.parametrize("formula", ["official", "paper"])
def test_scaled_products_are_those_of_smaller_states(formula: str) -> None:
    """Products over sqrt(C) are the products of states over C^(1/4)."""
    queries, places = states()
    scaled = built({"formula": formula, "scale_products": True})(queries, places)
    smaller = built({"formula": formula})(queries * C**-0.25, places)
    torch.testing.assert_close(scaled.weights, smaller.weights)
    torch.testing.assert_close(scaled.subjects * C**-0.25, smaller.subjects)


def test_heads_are_torchs_attention_to_the_union() -> None:
    module, (queries, places) = built(MULTI_HEAD), states()
    assert module.heads is not None
    assert module.out_proj is not None
    reference = nn.MultiheadAttention(C, 2, batch_first=True).double()
    projections = (module.heads.query_proj, module.heads.key_proj, module.heads.value_proj)
    reference.load_state_dict(
        {
            "in_proj_weight": torch.cat([projection.weight for projection in projections]),
            "in_proj_bias": torch.cat([projection.bias for projection in projections]),
            "out_proj.weight": module.out_proj.weight,
            "out_proj.bias": module.out_proj.bias,
        }
    )
    out = module(queries, places)
    hidden = ~(out.nearest.mask | out.relevant.mask)
    contexts, subjects = queries[:, :M], queries[:, M:]
    gathered, weights = reference(subjects, contexts, contexts, attn_mask=hidden.repeat_interleave(2, 0))
    torch.testing.assert_close(out.subjects, subjects + gathered)
    torch.testing.assert_close(out.weights, weights)
    assert (out.nearest.mask & out.relevant.mask).any(), "some context is in both lists"


def test_a_formula_of_ones_own_is_one_registered_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dsct_detrex.dsct.formulas.FORMULAS", known := dict(FORMULAS))
    monkeypatch.setattr("dsct_detrex.dsct.relational_aggregation.FORMULAS", known)

    @register_formula()
    def both(chosen: list[Tensor]) -> list[Softmax]:
        return [Softmax(chosen[0] & chosen[1])]

    queries, places = states()
    out = built({"formula": "both"}, k_spatial=15, k_semantic=15)(queries, places)
    assert torch.equal(out.weights > 0, out.nearest.mask & out.relevant.mask)


def test_an_unknown_formula_lists_the_known_ones() -> None:
    with pytest.raises(UserError) as refused:
        RelationalAggregation("papre")
    assert str(refused.value) == (
        f"RelationalAggregation(formula=) expects one of {', '.join(FORMULAS)}. Got 'papre'. Did you mean `paper`?"
    )


def test_a_name_of_a_formula_is_not_taken_twice() -> None:
    with pytest.raises(UserError, match=r"`paper` in .*test_fusion_variants.py expects a name of its own; .*"):

        @register_formula()
        def paper(chosen: list[Tensor]) -> list[Softmax]:
            return []


@pytest.mark.parametrize("host", KINDS)
def test_a_fresh_projected_model_is_one_without_fusion(host: str) -> None:
    """Gradients of all weights that both have are the same; every weight of fusion gets one."""
    entries, found = batch(), []
    torch.manual_seed(0)
    without = tiny_dsct(host, aggregation=None).train()
    torch.manual_seed(0)
    aggregation = RelationalAggregation("multi_head", 6, 4, embed_dim=without.decoder.adapter.query_spec.embed_dim)
    torch.manual_seed(0)
    fresh = tiny_dsct(host, aggregation=aggregation).train()
    fresh.load_state_dict(without.state_dict(), strict=False)
    for model in (without, fresh):
        torch.manual_seed(3)  # of denoising
        sum(model(entries).values()).backward()
        found.append({name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None})
    plain, fused = found
    for name, gradient in plain.items():
        # Not to the last bit: in one run of the suite a gradient of the backbone differed, why is not known.
        torch.testing.assert_close(
            fused[name], gradient, rtol=1e-4, atol=1e-6, msg=lambda text, name=name: f"{name}: {text}"
        )
    assert {name for name in fused if name not in plain} == {
        name for name, _ in fresh.named_parameters() if ".aggregation." in name
    }
    assert all(fused[name].any() for name in fused if name.endswith("aggregation.out_proj.weight"))


@pytest.mark.parametrize("host", ["deformable_detr", "dn_detr"])
@pytest.mark.parametrize("variant", [MULTI_HEAD, PLAIN[-1], ATTENTIVE], ids=words)
def test_recomputed_layers_give_the_same_gradients(host: str, variant: dict[str, Any]) -> None:
    plain = tiny_dsct(host, aggregation=RelationalAggregation(**variant, k_spatial=6, k_semantic=4)).train()
    randomised(plain.decoder)
    saving = copy.deepcopy(plain)
    saving.decoder.activation_checkpointing = True
    entries = batch()
    for model in (plain, saving):
        sum(model(entries).values()).backward()
    for (name, mine), theirs in zip(plain.named_parameters(), saving.parameters(), strict=True):
        if mine.grad is not None:
            assert torch.equal(mine.grad, theirs.grad), name


def test_under_autocast_predictions_are_finite() -> None:
    model = tiny_dsct("deformable_detr", aggregation=RelationalAggregation("multi_head", 6, 4)).train()
    randomised(model.decoder)
    with torch.autocast("cpu", torch.bfloat16):
        layers = model.decode(images())
    assert all(torch.isfinite(layer.logits).all() for layer in layers)
