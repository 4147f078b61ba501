"""A picture's name decides its split."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from dsct_detrex.data.division import SHARES, check_shares, split_of
from dsct_detrex.errors import UserError


def test_names_keep_their_splits() -> None:
    """By ``printf NAME | sha256sum``: the first 16 digits as a share of 16**16."""
    found = {split: [n for n in range(12) if split_of(f"{n}.jpg") == split] for split in ("train", "val", "test")}
    assert found == {"train": [0, 1, 2, 4, 5, 6, 7, 11], "val": [8, 9], "test": [3, 10]}


def test_shares_are_what_pictures_get() -> None:
    found = Counter(split_of(f"picture_{number}.jpg") for number in range(4000))
    for split, share in zip(("train", "val", "test"), SHARES):
        assert found[split] / 4000 == pytest.approx(share, abs=0.03)
    assert {split_of(f"{number}.jpg", (0, 0, 1)) for number in range(50)} == {"test"}
    assert {split_of(f"{number}.jpg", (0.5, 0.5, 0)) for number in range(50)} == {"train", "val"}


def test_more_for_train_takes_from_the_others_alone() -> None:
    moved = [(split_of(f"{n}.jpg", (0.7, 0.1, 0.2)), split_of(f"{n}.jpg", (0.8, 0.0, 0.2))) for n in range(500)]
    assert set(moved) == {("train", "train"), ("val", "train"), ("test", "test")}


@pytest.mark.parametrize("shares", [(1, 0, 0), [0.8, 0.1, 0.1], [1 / 3, 1 / 3, 1 / 3], ["0.7", "0.1", "0.2"]])
def test_good_shares(shares: Any) -> None:
    assert check_shares(shares, "X") == pytest.approx(tuple(map(float, shares)))


@pytest.mark.parametrize(
    "shares",
    [(), (1,), (0.7, 0.3), (0.7, 0.1, 0.1), (70, 10, 20), (0.9, 0.2, -0.1), "711", None, 0.7, ("a", "b", "c"),
     (float("nan"), 0.5, 0.5), (0.4, 0.3, 0.2, 0.1)],
)  # fmt: skip
def test_bad_shares(shares: Any) -> None:
    with pytest.raises(
        UserError, match=r"^X\(shares=\) expects three shares, of train, val and test, that add up to 1"
    ):
        check_shares(shares, "X")
