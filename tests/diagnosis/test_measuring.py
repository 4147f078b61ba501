"""The diagnosis of fusion: its numbers are those of the model's own outputs, on every host, and by hand."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from dsct_detrex.data import eval_transforms
from dsct_detrex.data.synthetic import SyntheticScenes
from dsct_detrex.diagnosis.gradients import gradients_to_contexts
from dsct_detrex.diagnosis.means import Means
from dsct_detrex.diagnosis.measures import MEASURES, measures_of
from dsct_detrex.diagnosis.measuring import Diagnosis, diagnose, why_not
from dsct_detrex.diagnosis.passing import Fused, fusions_seen
from dsct_detrex.dsct import DSCT, RelationalAggregation
from dsct_detrex.dsct.choices import Places
from dsct_detrex.explain.groups import GROUPS
from dsct_detrex.explain.measuring import measure
from dsct_detrex.explain.reading import Reader, Reading
from dsct_detrex.rewrites import rewrite
from dsct_detrex.structures import CAER_S, EMOTIC
from tests.dsct.tiny import HOSTS, images, kind_of, randomised, tiny_dsct

SCENES = SyntheticScenes("caer_s", "test", 2, size=(64, 48), seed=4)
TRANSFORMS = eval_transforms(size=48, max_size=64)
KINDS = [name for name in HOSTS if kind_of(name) == name]
M, N, C = 12, 3, 8


@pytest.fixture
def everybody_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """An untrained model finds nobody: subject i speaks for person i."""
    monkeypatch.setattr(Reading, "speakers", lambda _, picture, people: list(range(len(people))))


def diagnosed(model: DSCT, dataset: Any = SCENES, emotions: Any = CAER_S) -> Diagnosis:
    return diagnose(model.eval(), emotions, TRANSFORMS, dataset, range(len(dataset)))


def fused(queries: Tensor, points: Tensor | None = None, **switches: Any) -> Fused:
    module = RelationalAggregation(**{"embed_dim": queries.shape[-1], **switches}).to(queries.dtype)
    randomised(module, 0.3)
    m = queries.shape[1] - N
    places = Places(torch.rand(len(queries), m + N, 2) if points is None else points, m)
    return Fused(1, module, queries, module(queries, places))


@pytest.mark.usefixtures("everybody_is_found")
@pytest.mark.parametrize("name", KINDS)
def test_every_host_is_diagnosed(name: str) -> None:
    model = tiny_dsct(name, num_subjects=5)
    found = diagnosed(model)
    people = sum(len(SCENES.scene(index).people) for index in range(2))
    assert (found.images, found.people, found.found, found.subjects) == (2, people, people, 5)
    assert [row["layer"] for row in found.layers] == [1, 2]
    assert found.no_gradient == found.no_places == ""
    shares = {row["layer"]: row for row in measure(Reader(model, CAER_S, TRANSFORMS), SCENES, "caer_s").shares}
    for row in found.layers:
        explained = shares[f"layer {row['layer']}"]
        np.testing.assert_allclose(row["lies_on"], explained["weight"], atol=2e-4)
        np.testing.assert_allclose(row["contexts"], explained["uniform"], atol=1e-9)
        for who in ("people", "subjects"):
            assert all(row[who][measure_] is not None for measure_ in MEASURES), who
            assert 6 <= row[who]["chosen"] <= 10
            assert 1 <= row[who]["effective"] <= row[who]["chosen"]
            assert 1 / row[who]["chosen"] <= row[who]["largest"] <= 1
        assert row["gradient"]["fusion"] > 0
    assert found.layers[0]["gradient"]["rest"] > 0
    assert found.layers[1]["gradient"]["rest"] == 0, "contexts of the last layer do nothing more"


@pytest.mark.usefixtures("everybody_is_found")
def test_rewrites_change_no_number() -> None:
    model = tiny_dsct("deformable_detr", num_subjects=5)
    plain = diagnosed(model)
    assert rewrite(model).counts["relational_aggregation"] == 2
    for mine, theirs in zip(plain.layers, diagnosed(model).layers, strict=True):
        for key in ("people", "gradient"):
            assert mine[key] == pytest.approx(theirs[key], rel=1e-3, abs=1e-6)


@pytest.mark.parametrize("formula", ["official", "paper", "multi_head"])
def test_the_gradient_is_split_where_contexts_are_gathered(formula: str) -> None:
    """A loss of the subjects behind fusion reaches contexts through it alone, one of the contexts not through it."""
    torch.manual_seed(0)
    queries = torch.randn(2, M + N, C, dtype=torch.float64, requires_grad=True)
    one = fused(queries, formula=formula, k_spatial=5, k_semantic=4)
    subjects, contexts = one.left.queries[:, M:].sin().sum(), one.left.queries[:, :M].square().sum()
    (alone,) = torch.autograd.grad(subjects, queries, retain_graph=True)
    (reached,) = gradients_to_contexts(subjects + contexts, [one])
    torch.testing.assert_close(reached.fusion, alone[:, :M].flatten(1).norm(dim=1))
    torch.testing.assert_close(reached.rest, 2 * queries[:, :M].flatten(1).norm(dim=1))


def test_measures_by_hand() -> None:
    """Four contexts on a line; the nearest two and the two of largest product are chosen, one of them twice."""
    contexts = torch.tensor([[1.0, 0.0], [2.0, 0.0], [5.0, 0.0], [4.0, 0.0]])
    subjects = torch.tensor([[1.0, 0.0]] * N)
    queries = torch.cat([contexts, subjects])[None].double()
    line = torch.tensor([[0.1, 0.0], [0.4, 0.0], [0.2, 0.0], [0.3, 0.0]])
    points = torch.cat([line, torch.zeros(N, 2)])[None]
    one = fused(queries, points, formula="paper", k_spatial=2, k_semantic=2, reweighting="equal")
    found = {name: values[0, 0].item() for name, values in measures_of(one).items()}
    # near: 1st, 3rd; relevant: 3rd, 4th; weights 1/4, 2/4, 1/4 of 1, 5, 4
    assert found["chosen"] == 3
    assert found["largest"] == pytest.approx(0.5)
    assert found["effective"] == pytest.approx(np.exp(1.5 * np.log(2)))
    assert found["overlap"] == pytest.approx(1 / 3)
    assert found["length"] == pytest.approx(15 / 4)
    assert found["cosine"] == pytest.approx(1)
    assert found["spread"] == 0
    semantic = measures_of(fused(queries, points, formula="paper", k_spatial=2, k_semantic=2))
    assert semantic["spread"][0, 0].item() == pytest.approx(np.std([1, 5, 4]))
    scaled = measures_of(fused(queries, points, formula="paper", k_spatial=2, k_semantic=2, scale_products=True))
    assert scaled["spread"][0, 0].item() == pytest.approx(np.std([1, 5, 4]) / 2**0.5)


def test_official_weights_are_shares_of_both_sums() -> None:
    torch.manual_seed(0)
    found = measures_of(
        fused(torch.randn(1, M + N, C).double(), formula="official", reweighting="equal", k_spatial=4, k_semantic=0)
    )
    torch.testing.assert_close(found["largest"], torch.full((1, N), 0.25, dtype=torch.float64))
    assert found["overlap"].isnan().all()


def test_the_spread_of_heads_is_their_mean() -> None:
    torch.manual_seed(0)
    one = fused(torch.randn(1, M + N, C).double(), formula="multi_head", num_heads=2, k_spatial=99, k_semantic=99)
    heads = one.module.heads
    assert heads is not None
    queries, keys = heads.query_proj(one.entered[0, M:]), heads.key_proj(one.entered[0, :M])
    products = [queries[:, part] @ keys[:, part].T / 2 for part in (slice(4), slice(4, 8))]
    expected = sum(of_head.std(-1, correction=0) for of_head in products) / 2
    torch.testing.assert_close(measures_of(one)["spread"][0], expected)


@pytest.mark.usefixtures("everybody_is_found")
def test_a_control_gathers_nothing_and_says_so() -> None:
    control = RelationalAggregation("paper", 6, 4, gather="self")
    (first, _) = diagnosed(tiny_dsct("deformable_detr", num_subjects=5, aggregation=control)).layers
    assert first["people"]["length"] == pytest.approx(1, abs=1e-5)
    assert first["people"]["cosine"] == pytest.approx(1, abs=1e-5)
    assert first["people"]["chosen"] == 0
    assert [first["people"][name] for name in ("largest", "effective", "overlap", "spread")] == [None] * 4
    assert first["lies_on"] is None
    assert len(first["contexts"]) == len(GROUPS)
    assert first["gradient"]["fusion"] == 0
    assert first["gradient"]["rest"] > 0


@pytest.mark.usefixtures("everybody_is_found")
def test_what_is_not_annotated_is_said() -> None:
    model = tiny_dsct("deformable_detr", num_subjects=5)
    found = diagnosed(model, SyntheticScenes("emotic", "test", 1, size=(64, 48)))
    assert found.no_gradient == "these pictures are annotated with emotic, and the model reads caer_s"
    assert all(row["gradient"] is None and row["lies_on"] for row in found.layers)
    model.criterion = None
    assert "model.criterion=null" in diagnosed(model).no_gradient


class Photographs:
    """Drawn scenes that do not say what is where, the first without people."""

    emotions, name = CAER_S, "photographs"

    def __init__(self, people: bool) -> None:
        self._people = people

    def __len__(self) -> int:
        return 2

    def record(self, index: int) -> Any:
        record = SCENES.record(index)
        return record if self._people and index else record | {"annotations": []}

    def load_image(self, index: int) -> Any:
        return SCENES.load_image(index)


@pytest.mark.usefixtures("everybody_is_found")
@pytest.mark.parametrize("people", [True, False])
def test_photographs_may_be_of_nobody(people: bool) -> None:
    found = diagnosed(tiny_dsct("deformable_detr", num_subjects=5), Photographs(people))
    assert found.no_places == "only drawn scenes say what is where"
    assert found.no_gradient == ("" if people else "nobody is annotated in these pictures")
    for row in found.layers:
        assert row["lies_on"] is row["contexts"] is None
        assert (row["people"]["length"] is not None) == people
        assert row["subjects"]["length"] is not None
        assert bool(row["gradient"]) == people


@pytest.mark.usefixtures("everybody_is_found")
def test_a_layer_without_fusion_is_left_out() -> None:
    assert [row["layer"] for row in diagnosed(tiny_dsct("dino", num_subjects=5, fusion_layers=[1])).layers] == [2]


def test_models_without_fusion_or_contexts_say_so() -> None:
    assert why_not(tiny_dsct("detr")) == ""
    assert "model.aggregation=null" in why_not(tiny_dsct("detr", aggregation=None))
    assert "model.use_contexts=False" in why_not(tiny_dsct("detr", use_contexts=False))


def test_no_hook_stays_also_when_the_call_fails() -> None:
    model = tiny_dsct("deformable_detr").eval()
    seen: list[Fused] = []

    def fails() -> None:
        with fusions_seen(model.decoder) as fusions:
            model.decode(images())
            seen.extend(fusions)
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert [one.layer for one in seen] == [1, 2]
    for layer in model.decoder.layers:
        assert not layer.aggregation._forward_hooks
        assert not layer.aggregation._forward_pre_hooks


def test_several_emotions_are_measured_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Reading, "speakers", lambda _, picture, people: list(range(len(people))))
    scenes = SyntheticScenes("emotic", "test", 1, size=(64, 48))
    found = diagnosed(tiny_dsct("deformable_detr", "emotic", num_subjects=5), scenes, EMOTIC)
    assert found.layers[0]["gradient"]["fusion"] > 0


def test_means_leave_out_what_is_no_number() -> None:
    means = Means()
    means.add("a", np.array([1.0, np.nan, 3.0]))
    means.add("a", np.array([5.0]))
    means.add("b", np.array([np.nan]))
    means.add("c", np.array([[1.0, 2.0], [3.0, np.nan], [5.0, 6.0]]))
    assert means.of("a") == 3
    assert means.of("b") is means.of("d") is None
    assert means.row("c") == [3, 4]
