"""Shares, intervals, changes and groups, from numbers worked by hand."""

import numpy as np
import pytest
from PIL import Image

from dsct_detrex.data.synthetic import Painted, Thing
from dsct_detrex.explain.bootstrap import interval, mean_over_people
from dsct_detrex.explain.changes import Change, summary
from dsct_detrex.explain.groups import GROUPS, groups_at
from dsct_detrex.explain.shares import nearest_shares, random_shares, uniform_shares, weight_shares
from dsct_detrex.explain.tally import ShareTally

WEIGHTS = np.array([0.5, 0.0, 1.0, 0.5, 0.0])
OF = np.array([0, 0, 2, 1, 2])


def test_weight_is_shared_by_group() -> None:
    assert weight_shares(WEIGHTS, OF, 4).tolist() == [0.25, 0.25, 0.5, 0]


def test_uniform_counts_contexts() -> None:
    assert uniform_shares(OF, 4).tolist() == [0.4, 0.2, 0.4, 0]


def test_the_nearest_share_equally() -> None:
    distances = np.array([3.0, 0.1, 2.0, 0.5, 0.5])
    assert nearest_shares(distances, OF, 3, 1).tolist() == [1, 0, 0]
    assert nearest_shares(distances, OF, 3, 2).tolist() == [0.5, 0.5, 0]  # of two equal ones the first
    assert nearest_shares(distances, OF, 3, 5).tolist() == [0.4, 0.2, 0.4]


def test_random_choice_is_uniform_on_average_and_keeps_the_weights() -> None:
    drawn = random_shares(WEIGHTS, OF, 3, 4000, np.random.default_rng(1))
    np.testing.assert_allclose(drawn.mean(0), [0.4, 0.2, 0.4], atol=0.01)
    np.testing.assert_allclose(drawn.sum(1), 1)
    assert set(np.round(drawn[:, 1], 6)) == {0, 0.25, 0.5}  # the one context of group 1 has one of the weights
    again = random_shares(WEIGHTS, OF, 3, 4000, np.random.default_rng(1))
    np.testing.assert_array_equal(drawn, again)


def test_means_are_over_people_not_over_images() -> None:
    sums, people = np.array([[3.0, 0.0], [1.0, 1.0]]), np.array([3.0, 1.0])
    assert mean_over_people(sums, people).tolist() == [1.0, 0.25]


def test_an_interval_is_of_images() -> None:
    """Two images, 0 and 1: a quarter of the resamples have the first twice, a quarter the second."""
    low, high = interval(np.array([0.0, 1.0]), np.array([1.0, 1.0]))
    assert (low, high) == (0, 1)
    low, high = interval(np.array([0.4, 0.8]), np.array([1.0, 2.0]))
    np.testing.assert_allclose((low, high), 0.4)
    wide = interval(np.tile([0.0, 1.0], 50), np.ones(100), resamples=20_000)
    np.testing.assert_allclose(wide, (0.402, 0.598), atol=0.011)  # 0.5 -+ 1.96 * 0.05, in steps of 0.01
    low, _ = interval(np.array([0.0, 0.5]), np.array([0.0, 1.0]))  # an image without anybody
    assert low == 0.5


CHANGES = [
    Change(0, "own object", -0.2, -0.4),
    Change(0, "own object", -0.1, -0.2),
    Change(2, "own object", 0.0, 0.0),
    Change(2, "own object", None, -0.9),
    Change(1, "others' faces", 0.1, 0.0),
    Change(1, "others' faces", 0.3, 0.0),
    Change(1, "light", None, 0.2),
]


def test_changes_are_averaged_over_those_who_are_found_after() -> None:
    rows = {row["cause"]: row for row in summary(CHANGES, 3)}
    assert list(rows) == ["own object", "light", "others' faces"]
    row = rows["own object"]
    assert (row["people"], row["lost"]) == (4, 1)
    assert row["change"] == pytest.approx(-0.1)
    assert row["ideal"] == pytest.approx(-0.2)
    assert row["agreement"] == pytest.approx(1)
    assert row["low"] == pytest.approx(-0.15)
    assert row["high"] == pytest.approx(0)
    assert rows["others' faces"]["agreement"] is None, "what should not change cannot be agreed with"
    assert rows["others' faces"]["change"] == pytest.approx(0.2)
    assert rows["light"] == {
        "cause": "light", "people": 1, "lost": 1, "change": None, "low": None, "high": None, "ideal": None,
        "agreement": None,
    }  # fmt: skip


def test_what_a_point_lies_on_depends_on_who_asks() -> None:
    things = (
        Thing("object", "book", (0, 0, 1, 1), 0),
        Thing("person", "head", (1, 0, 2, 1), 0),
        Thing("weather", "scarf", (2, 0, 3, 1), 0),
        Thing("light", "moon", (3, 0, 4, 1)),
        Thing("place", "tree", (4, 0, 5, 1)),
    )
    painted = Painted(Image.new("RGB", (6, 1)), things, np.array([[0, 1, 2, 3, 4, -1]]))
    points = np.array([[(k + 0.5) / 6, 0.5] for k in range(6)] + [[1.5, 0.5]])
    named = [[GROUPS[group] for group in groups_at(painted, points, person)] for person in (0, 1)]
    assert named[0] == ["own object", "own face and body", "weather", "light", "place", "nothing", "nothing"]
    assert named[1] == ["others' objects", "other people", "weather", "light", "place", "nothing", "nothing"]


def test_layers_and_people_are_averaged() -> None:
    tally = ShareTally(2)
    assert tally.table() == []
    own, other = np.array([1.0, 0.0]), np.array([0.5, 0.5])
    near, groups = np.array([2.0, 1.0]), np.array([0, 1])
    tally.add(0, [(1, own, near, groups), (3, other, near, groups)])
    tally.add(1, [(1, own, near, groups), (3, own, near, groups)])
    rows = {row["layer"]: row for row in tally.table()}
    assert list(rows) == ["all layers", "layer 1", "layer 3"]
    assert rows["layer 1"]["weight"][:2] == [1, 0]
    assert rows["layer 3"]["weight"][:2] == [0.75, 0.25]
    assert rows["all layers"]["weight"][:2] == [0.875, 0.125]
    assert rows["all layers"]["uniform"][:2] == [0.5, 0.5]
    assert rows["layer 1"]["nearest"][:2] == [0, 1], "one context was chosen, and the second is nearer"
    assert rows["layer 3"]["nearest"][:2] == [0.25, 0.75]
    assert rows["all layers"]["low"][0] == pytest.approx(0.75)
    assert rows["all layers"]["high"][0] == pytest.approx(1)
    assert rows["layer 1"]["random_low"][0] == 0
    assert rows["layer 1"]["random_high"][0] == 1
