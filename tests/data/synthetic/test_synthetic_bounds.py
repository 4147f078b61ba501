"""The bounds are what a Bayes-optimal predictor really reaches on labels drawn from the table."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from dsct_detrex.data.synthetic import category_bounds, synthetic_bounds, synthetic_references, table
from dsct_detrex.data.synthetic.bounds import INFORMATION, atoms, best_accuracy, best_average_precision
from dsct_detrex.structures import EMOTIC

PEOPLE = 200_000
CUES = ("scene", "expression", "object")


@pytest.fixture(scope="module")
def people() -> dict[str, np.ndarray]:
    """Latents and labels of many people, drawn from the tables and not from ``joint``."""
    rng = np.random.default_rng(7)

    def draw(rows: np.ndarray) -> np.ndarray:
        return (rng.random(len(rows))[:, None] > rows.cumsum(1)).sum(1).clip(max=rows.shape[1] - 1)

    scene = rng.choice(len(table.SCENES), PEOPLE, p=table.scene_probability())
    emotion = draw(table.emotion_given_scene()[scene])
    expression = draw(table.expression_given_emotion()[emotion])
    thing = draw(table.object_given_emotion()[emotion])
    noisy = rng.random(PEOPLE) < table.LABEL_NOISE
    label = np.where(noisy, rng.integers(0, 7, PEOPLE), emotion)
    coins = table.emotic_coins()[scene, emotion, thing]
    lit = rng.random(coins.shape) < coins
    while (empty := ~lit.any(1)).any():
        lit[empty] = rng.random((empty.sum(), 26)) < coins[empty]
    return {"scene": scene, "expression": expression, "object": thing, "label": label, "lit": lit}


def atom_of(people: dict[str, np.ndarray], visible: tuple[str, ...]) -> np.ndarray:
    sizes = {"scene": len(table.SCENES), "expression": len(table.EXPRESSIONS), "object": len(table.OBJECTS)}
    index = np.zeros(PEOPLE, dtype=np.int64)
    for cue in CUES:
        if cue in visible:
            index = index * sizes[cue] + people[cue]
    return index


@pytest.mark.parametrize("level", INFORMATION)
def test_bayes_predictor_reaches_the_accuracy_bound(people: dict[str, np.ndarray], level: str) -> None:
    _, positive = atoms("caer_s", INFORMATION[level])
    reached = (positive.argmax(1)[atom_of(people, INFORMATION[level])] == people["label"]).mean()
    bound = synthetic_bounds("caer_s")["acc"][level]
    assert abs(reached - bound) < 4 * (bound * (1 - bound) / PEOPLE) ** 0.5


@pytest.mark.parametrize("format", ["caer_s", "emotic"])
@pytest.mark.parametrize("level", INFORMATION)
def test_bayes_ranking_reaches_the_ap_bound(people: dict[str, np.ndarray], format: str, level: str) -> None:
    """sklearn's AP of the posterior, ties broken at random, is the bound; exactly tied, it is ``ties="grouped"``."""
    mass, positive = atoms(format, INFORMATION[level])
    truth = np.eye(7, dtype=bool)[people["label"]] if format == "caer_s" else people["lit"]
    index = atom_of(people, INFORMATION[level])
    jitter = np.random.default_rng(3).random(PEOPLE) * 1e-9
    for c in range(0, truth.shape[1], 1 if format == "caer_s" else 5):
        posterior = (positive[:, c] / np.maximum(mass, 1e-30)).round(12)[index]
        tolerance = 6 * (0.25 / truth[:, c].sum()) ** 0.5
        random, grouped = (best_average_precision(mass, positive[:, c], ties) for ties in ("random", "grouped"))
        assert average_precision_score(truth[:, c], posterior + jitter) == pytest.approx(random, abs=tolerance / 2)
        assert average_precision_score(truth[:, c], posterior) == pytest.approx(grouped, abs=tolerance / 2)
        assert grouped <= random + 1e-12


@pytest.mark.parametrize(
    ("mass", "positive", "random", "grouped"),
    [
        ([1.0], [0.3], 0.3, 0.3),  # one atom: the prevalence
        ([0.5, 0.5], [0.5, 0.0], 1.0, 1.0),  # perfect
        # One person in two is certain (half of the positives), the rest half-positive: precision falls 1 -> 3/4.
        ([0.5, 0.5], [0.5, 0.25], 2 / 3 + (0.125 + 0.125 * np.log(2)) / 0.75, 2 / 3 + 0.75 / 3),
        ([0.4, 0.0, 0.6], [0.2, 0.0, 0.3], 0.5, 0.5),  # equal shares are one atom; empty ones do not count
    ],
)
def test_average_precision_by_hand(mass: list[float], positive: list[float], random: float, grouped: float) -> None:
    assert best_average_precision(np.array(mass), np.array(positive)) == pytest.approx(random)
    assert best_average_precision(np.array(mass), np.array(positive), "grouped") == pytest.approx(grouped)


def test_accuracy_by_hand() -> None:
    assert best_accuracy(np.array([0.6, 0.4]), np.array([[0.5, 0.1], [0.1, 0.3]])) == pytest.approx(0.8)


LADDER = ("chance", "face_only", "face_near", "everything")


def test_every_kind_of_context_pays() -> None:
    """Each further cue raises every metric clearly, and neither the face nor the scene is enough alone."""
    accuracy = synthetic_bounds("caer_s")["acc"]
    assert [accuracy[level] for level in LADDER] == pytest.approx([0.145, 0.498, 0.713, 0.856], abs=5e-4)
    mean_ap = synthetic_bounds("emotic")["mAP"]
    assert [mean_ap[level] for level in LADDER] == pytest.approx([0.178, 0.348, 0.538, 0.658], abs=5e-4)
    for levels in (accuracy, mean_ap, synthetic_bounds("caer_s")["mAP"]):
        assert np.diff([levels[level] for level in LADDER]).min() > 0.1
        assert levels["chance"] + 0.1 < levels["scene_only"] < levels["everything"] - 0.1


def test_references_are_the_bounds_of_the_primary_metric() -> None:
    assert synthetic_references("caer_s") == synthetic_bounds("caer_s")["acc"]
    assert synthetic_references("emotic") == synthetic_bounds("emotic")["mAP"]


def test_every_emotic_category_can_be_learnt_and_not_perfectly() -> None:
    for name, levels in category_bounds("emotic").items():
        values = [levels[level] for level in LADDER]
        assert values == sorted(values), name
        assert values[-1] > values[0] + 0.3, name
        assert values[-1] < 0.95, name


def test_unknown_arguments_are_named() -> None:
    with pytest.raises(ValueError, match=r"atoms\(format=\) expects 'caer_s' or 'emotic'. Got 'voc'."):
        synthetic_bounds("voc")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"expects some of scene, expression, object. Got \('smell',\)."):
        atoms("caer_s", ("smell",))


def test_tables_are_distributions() -> None:
    for rows in (table.emotion_given_scene(), table.expression_given_emotion(), table.object_given_emotion()):
        np.testing.assert_allclose(rows.sum(1), 1)
        assert rows.min() >= 0
    assert table.scene_probability().sum() == pytest.approx(1)
    assert table.joint().sum() == pytest.approx(1)
    marginal = table.joint().sum((0, 2, 3))
    assert abs(marginal * 7 - 1).max() < 0.04  # the classes are balanced
    known = {
        name
        for causes in (table.EMOTION_CAUSES, table.OBJECT_CAUSES, table.SCENE_CAUSES)
        for c in causes.values()
        for name in c
    }
    assert known == set(EMOTIC.names)


def test_every_expression_is_ambiguous() -> None:
    """No face gives its emotion away: the likeliest emotion of a face is right in at most three cases of four."""
    joint = table.joint().sum((0, 3))
    assert (joint.max(0) / joint.sum(0)).max() < 0.75
