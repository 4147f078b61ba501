"""The measurement runs on every host: its numbers are those of the model's own outputs."""

from typing import Any

import numpy as np
import pytest
import torch

from dsct_detrex.data import eval_transforms
from dsct_detrex.data.synthetic import PaintedOut, SyntheticScenes
from dsct_detrex.dsct import DSCT
from dsct_detrex.explain.groups import GROUPS, groups_at
from dsct_detrex.explain.measuring import measure
from dsct_detrex.explain.reading import Reader, Reading
from dsct_detrex.structures import CAER_S, EMOTIC
from tests.dsct.tiny import HOSTS, kind_of, tiny_dsct

SCENES = SyntheticScenes("caer_s", "test", 2, size=(64, 48), seed=4)
KINDS = [name for name in HOSTS if kind_of(name) == name]


def reader(model: DSCT, emotions: Any = CAER_S) -> Reader:
    return Reader(model.eval(), emotions, eval_transforms(size=48, max_size=64))


@pytest.fixture
def everybody_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """An untrained model finds nobody: subject i speaks for person i."""
    monkeypatch.setattr(Reading, "speakers", lambda _, picture, people: list(range(len(people))))


@pytest.mark.usefixtures("everybody_is_found")
@pytest.mark.parametrize("name", KINDS)
def test_shares_are_those_of_the_forward_pass(name: str) -> None:
    model = tiny_dsct(name, num_subjects=5)
    read = reader(model)
    measured = measure(read, SCENES, "caer_s")
    assert measured.people == measured.found == sum(len(SCENES.scene(k).people) for k in range(2))
    rows = {row["layer"]: row for row in measured.shares}
    assert list(rows) == ["all layers", "layer 1", "layer 2"]
    expected = expected_shares(read, layer=1)
    np.testing.assert_allclose(rows["layer 2"]["weight"], expected["weight"], atol=2e-4)
    np.testing.assert_allclose(rows["layer 2"]["uniform"], expected["uniform"], atol=1e-9)
    for row in rows.values():
        for measure_ in ("weight", "uniform", "nearest"):
            assert sum(row[measure_]) == pytest.approx(1)
    assert {row["cause"] for row in measured.changes} >= {"own face", "place", "weather", "light"}
    assert all(row["change"] is not None for row in measured.changes)
    assert any(abs(row["change"]) > 1e-6 for row in measured.changes)
    example = measured.example
    assert example is not None
    assert len(example.points) == len(example.weights) == len(example.groups)


def expected_shares(read: Reader, layer: int) -> dict[str, np.ndarray]:
    """Straight from ``LayerOutput``, one picture at a time, person by person."""
    weight, uniform = [], []
    for index in range(len(SCENES)):
        painted = SCENES.painted(index)
        image = torch.from_numpy(np.asarray(painted.image).transpose(2, 0, 1).copy())
        with torch.inference_mode():
            out = read._model.decode([image])[layer]
        points = out.context_references[0, :, :2].double().numpy()
        if not points.size:  # DETR's contexts have no reference: where its own head puts them
            points = out.aggregation.places.contexts[0].double().numpy()
        for person in range(len(SCENES.scene(index).people)):
            groups = groups_at(painted, points, person)
            weights = out.aggregation.weights[0, person].double().numpy()
            weight.append([weights[groups == group].sum() / weights.sum() for group in range(len(GROUPS))])
            uniform.append([(groups == group).mean() for group in range(len(GROUPS))])
    return {"weight": np.mean(weight, 0), "uniform": np.mean(uniform, 0)}


@pytest.mark.usefixtures("everybody_is_found")
@pytest.mark.parametrize("switches", [{"aggregation": None}, {"aggregation": None, "use_contexts": False}])
def test_without_contexts_causes_are_still_painted_out(switches: dict[str, Any]) -> None:
    measured = measure(reader(tiny_dsct("deformable_detr", num_subjects=5, **switches)), SCENES, "caer_s")
    assert measured.shares == []
    assert measured.example is None
    assert {row["cause"] for row in measured.changes} >= {"own face", "place", "weather", "light"}


@pytest.mark.usefixtures("everybody_is_found")
def test_several_emotions_are_measured_too() -> None:
    scenes = SyntheticScenes("emotic", "test", 1, size=(64, 48))
    model = tiny_dsct("deformable_detr", "emotic", num_subjects=5)
    changes = {row["cause"]: row for row in measure(reader(model, EMOTIC), scenes, "emotic").changes}
    assert all(np.isfinite(row["ideal"]) for row in changes.values())


def test_whoever_is_not_found_counts_nowhere() -> None:
    """An untrained model finds nobody at IoU 0.5, in the strict protocol's way."""
    measured = measure(reader(tiny_dsct("deformable_detr")), SCENES, "caer_s")
    assert measured.found == 0
    assert measured.people > 0
    assert (measured.shares, measured.changes) == ([], [])


class _Told(Reading):
    """A model that reads the first emotion with the probability of how red the picture is.

    Subject 0 speaks in the picture as it is, subject 1, half as sure, where something is painted out.
    """

    def __init__(self, pictures: list[Any]) -> None:
        self.red = [float(np.asarray(picture)[..., 0].mean() / 255) for picture in pictures]
        self.count = len(pictures)

    def speakers(self, picture: int, people: Any) -> list[int]:
        return [-1 if picture == self.count - 1 else int(picture > 0)] * len(people)  # without light, nobody is found

    def probabilities(self, picture: int) -> np.ndarray:
        return np.array([[self.red[picture] / (subject + 1), *[0.0] * 6] for subject in range(2)])

    def choices(self, picture: int) -> list[Any]:
        return []


def test_changes_are_after_less_before() -> None:
    class Told(Reader):
        def __init__(self) -> None:
            self.emotions = CAER_S

        def __call__(self, pictures: Any) -> Reading:
            return _Told(pictures)

    one = SyntheticScenes("caer_s", "test", 1, size=(64, 48), max_people=1)
    rows = {row["cause"]: row for row in measure(Told(), one, "caer_s").changes}
    before = _Told([one.load_image(0)]).red[0]
    after = _Told([one.load_without(0, PaintedOut("place"))]).red[0]
    assert rows["place"]["change"] == pytest.approx(after / 2 - before)
    assert rows["light"]["lost"] == 1
    assert "others' faces" not in rows
