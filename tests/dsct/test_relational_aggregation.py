"""Eq. 6-8 against the official code's numbers and an independent reading of the paper, and by hand."""

import golden_io
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from dsct_detrex.config import get_config
from dsct_detrex.dsct import REWEIGHTINGS, Aggregation, Pairs, RelationalAggregation, register_reweighting
from dsct_detrex.dsct.choices import Places
from dsct_detrex.errors import UserError
from dsct_detrex.rewrites import rewrite

CASES = {"sp6_sm4": (6, 4), "sp100_sm50": (100, 50), "sp1_sm1": (1, 1), "sp300_sm300": (300, 300)}


def fuse(aggregation, subjects, contexts, subject_xy, context_xy, mask=None) -> Aggregation:
    """Fusion of what comes apart."""
    places = Places(torch.cat([context_xy, subject_xy], 1), contexts.shape[1])
    return aggregation(torch.cat([contexts, subjects], 1), places, mask)


@pytest.fixture(scope="module")
def fixture() -> golden_io.Fixture:
    return golden_io.load("dsct/fusion")


@pytest.mark.parametrize("formula", ["official", "paper"])
@pytest.mark.parametrize("case", CASES)
def test_values_equal_the_fixture(fixture, case, formula):
    inputs = [fixture[f"in.{n}"] for n in ("subject", "context", "subject_points", "context_points")]
    out = fuse(RelationalAggregation(formula, *CASES[case]), *inputs)
    expected = fixture[f"out.{case}.{formula}"]
    torch.testing.assert_close(out.subjects, expected, rtol=0, atol=fixture.meta["tolerance"]["abs"])


@pytest.mark.parametrize("formula", ["official", "paper"])
@pytest.mark.parametrize("case", CASES)
def test_gradients_equal_the_fixture(fixture, case, formula):
    """In float64: the fixture's own float32 rounding is up to 1.2e-5 on gradients of size 13.7, hence the rtol."""
    subject, context = (fixture[f"in.{n}"].double().requires_grad_() for n in ("subject", "context"))
    aggregation = RelationalAggregation(formula, *CASES[case])
    out = fuse(aggregation, subject, context, fixture["in.subject_points"], fixture["in.context_points"])
    (out.subjects * fixture["in.grad_output"]).sum().backward()
    for mine, name in ((subject.grad, "subject"), (context.grad, "context")):
        expected = fixture[f"out.{case}.{formula}_grad_{name}"].double()
        torch.testing.assert_close(mine, expected, rtol=1e-5, atol=fixture.meta["tolerance"]["abs"])


@pytest.mark.parametrize("case", ["sp6_sm4", "sp100_sm50", "sp1_sm1"])
def test_selected_contexts_equal_the_fixture(fixture, case):
    k_spatial, k_semantic = CASES[case]
    inputs = [fixture[f"in.{n}"] for n in ("subject", "context", "subject_points", "context_points")]
    out = fuse(RelationalAggregation("official", k_spatial, k_semantic), *inputs)
    assert torch.equal(out.spatial_index, fixture[f"out.{case}.spatial_index"])
    assert torch.equal(out.semantic_index, fixture[f"out.{case}.semantic_index"])


@pytest.mark.parametrize("formula", ["official", "paper"])
@pytest.mark.parametrize("case", ["sp6_sm4", "sp100_sm50", "sp1_sm1"])
def test_weights_equal_the_fixture(fixture, case, formula):
    """The fixture lists a weight per choice; ours are per context, so choices of one context add up."""
    aggregation = RelationalAggregation(formula, *CASES[case])
    out = fuse(aggregation, *(fixture[f"in.{n}"] for n in ("subject", "context", "subject_points", "context_points")))
    index = torch.cat([fixture[f"out.{case}.spatial_index"], fixture[f"out.{case}.semantic_index"]], -1)
    expected = torch.zeros_like(out.weights).scatter_add_(-1, index, fixture[f"out.{case}.{formula}_weights"])
    torch.testing.assert_close(out.weights, expected, rtol=0, atol=1e-5)


def _small():
    """One subject at the origin and four contexts on a line, with products 1, 2, 3, 4."""
    subject = torch.tensor([[[1.0, 0.0]]])
    context = torch.tensor([[[1.0, 5.0], [2.0, 6.0], [3.0, 7.0], [4.0, 8.0]]])
    points = torch.tensor([[[0.1, 0.0], [0.2, 0.0], [0.3, 0.0], [0.4, 0.0]]])
    return subject, context, torch.zeros(1, 1, 2), points


@pytest.mark.parametrize(
    ("switches", "weights"),
    [
        ({"k_spatial": 2, "k_semantic": 0, "reweighting": "equal"}, [0.5, 0.5, 0, 0]),
        ({"k_spatial": 0, "k_semantic": 2, "reweighting": "equal"}, [0, 0, 0.5, 0.5]),
        ({"k_spatial": 0, "k_semantic": 2, "reweighting": "equal", "semantic_order": "smallest"}, [0.5, 0.5, 0, 0]),
        ({"k_spatial": 3, "k_semantic": 3, "reweighting": "equal"}, [1 / 6, 2 / 6, 2 / 6, 1 / 6]),
        ({"k_spatial": 2, "k_semantic": 0}, [0.26894142, 0.73105858, 0, 0]),
        ({"k_spatial": 2, "k_semantic": 0, "reweighting": "spatial"}, [0.52497919, 0.47502081, 0, 0]),
        ({"k_spatial": 0, "k_semantic": 0}, [0.0, 0, 0, 0]),
    ],
)
def test_paper_weights_by_hand(switches, weights):
    out = fuse(RelationalAggregation("paper", **switches), *_small())
    torch.testing.assert_close(out.weights[0, 0], torch.tensor(weights), rtol=0, atol=1e-6)
    gathered = torch.tensor(weights) @ _small()[1][0]
    torch.testing.assert_close(out.subjects[0, 0], _small()[0][0, 0] + gathered, rtol=0, atol=1e-5)


def test_official_lists_each_sum_to_one():
    out = fuse(RelationalAggregation("official", 3, 2, reweighting="equal"), *_small())
    torch.testing.assert_close(out.weights[0, 0], torch.tensor([1 / 3, 1 / 3, 1 / 3 + 1 / 2, 1 / 2]))


def test_attentive_reweighting_trains_its_projections():
    torch.manual_seed(0)
    aggregation = RelationalAggregation("paper", 3, 2, reweighting="attentive", embed_dim=2)
    out = fuse(aggregation, *_small())
    out.subjects.sum().backward()
    assert all(p.grad is not None for p in aggregation.parameters())
    assert aggregation.query_proj.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("name", REWEIGHTINGS)
def test_every_reweighting_shares_one_weight_among_the_chosen(name):
    torch.manual_seed(0)
    aggregation = RelationalAggregation("paper", 2, 1, reweighting=name, embed_dim=2)
    weights = fuse(aggregation, *_small()).weights[0, 0]
    assert weights.sum().item() == pytest.approx(1)
    assert (weights > 0).tolist() == [True, True, False, True]  # the two nearest, and the most relevant
    assert bool(list(aggregation.parameters())) == REWEIGHTINGS[name].learned


def test_a_reweighting_of_ones_own_is_one_registered_function(monkeypatch):
    monkeypatch.setattr("dsct_detrex.dsct.reweighting.REWEIGHTINGS", known := dict(REWEIGHTINGS))

    @register_reweighting(by_distance=True)
    def nearness(pairs: Pairs) -> torch.Tensor:
        return (pairs.context_xy[:, None, :, 0] - pairs.subject_xy[..., :1]).reciprocal()

    assert list(known)[-1] == "nearness"
    out = fuse(RelationalAggregation("paper", 2, 0, reweighting="nearness"), *_small())
    torch.testing.assert_close(out.weights[0, 0], torch.tensor([*torch.tensor([10.0, 5.0]).softmax(0), 0.0, 0.0]))


def test_an_unknown_reweighting_lists_the_known_ones():
    with pytest.raises(UserError) as refused:
        RelationalAggregation(reweighting="atentive")
    assert str(refused.value) == (
        f"RelationalAggregation(reweighting=) expects one of {', '.join(REWEIGHTINGS)}. Got 'atentive'. "
        "Did you mean `attentive`?"
    )


def test_a_name_is_not_taken_twice():
    with pytest.raises(UserError, match=r"`equal` in .*test_relational_aggregation.py expects a name of its own; .*"):

        @register_reweighting()
        def equal(pairs: Pairs) -> torch.Tensor:
            return pairs.products


def test_the_same_function_may_be_registered_again(monkeypatch):
    monkeypatch.setattr("dsct_detrex.dsct.reweighting.REWEIGHTINGS", dict(REWEIGHTINGS))
    again = REWEIGHTINGS["equal"].relevance
    assert register_reweighting()(again) is again


def test_the_paper_table_names_known_reweightings():
    rows = [row["name"] for row in get_config("sweeps/table_7.py").sweep.cells]
    assert set(rows) <= set(REWEIGHTINGS)


def test_a_masked_subject_changes_nothing():
    """The official self-term must not leak between groups."""
    subjects, contexts = torch.randn(1, 4, 8), torch.randn(1, 20, 8)
    points = torch.rand(1, 24, 2)
    groups = torch.tensor([0, 0, 1, 1])
    mask = groups[:, None] != groups[None]
    aggregation = RelationalAggregation("official", 5, 5)
    first = fuse(aggregation, subjects, contexts, points[:, 20:], points[:, :20], mask).subjects
    changed = torch.cat([subjects[:, :2], torch.randn(1, 2, 8)], 1)
    second = fuse(aggregation, changed, contexts, points[:, 20:], points[:, :20], mask).subjects
    assert torch.equal(first[:, :2], second[:, :2])
    unmasked = fuse(aggregation, changed, contexts, points[:, 20:], points[:, :20]).subjects
    assert not torch.equal(first[:, :2], unmasked[:, :2])


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"k_spatial": -1}, r"RelationalAggregation\(k_spatial=\) expects an int >= 0 \(0 = off\). Got -1."),
        ({"semantic_order": "x"}, r"RelationalAggregation\(semantic_order=\) expects one of largest, smallest"),
        ({"gather": "none"}, r"RelationalAggregation\(gather=\) expects one of contexts, self. Got 'none'."),
        (
            {"formula": "multi_head", "num_heads": 3},
            r"RelationalAggregation\(num_heads=\) expects a divisor of the 256 channels. Got 3.",
        ),
    ],
)
def test_unknown_switches_are_refused(argument, message):
    with pytest.raises(ValueError, match=message):
        RelationalAggregation(**argument)


class Sizes(TorchDispatchMode):
    """Numbers in the largest tensor that an operation gave."""

    largest = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(out):
            if isinstance(tensor, torch.Tensor):
                self.largest = max(self.largest, tensor.numel())
        return out


@pytest.mark.parametrize("which", ["none", "all"])
@pytest.mark.parametrize("formula", ["official", "paper"])
def test_nothing_of_subjects_by_contexts_by_channels_is_made(formula, which):
    """Forward and backward: three lists over all queries, or two sets of states, a tenth of (B, N, M, C)."""
    n, m, c = 9, 100, 32
    aggregation = RelationalAggregation(formula, 20, 10)
    rewrite(aggregation, which)
    queries = torch.randn(2, m + n, c, requires_grad=True)
    with Sizes() as sizes:
        aggregation(queries, Places(torch.rand(2, m + n, 2), m)).queries.sum().backward()
    assert 0 < sizes.largest <= 2 * max(3 * n * (m + n), (m + n) * c)
