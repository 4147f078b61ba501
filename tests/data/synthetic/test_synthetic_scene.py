"""Latents follow the table; people stand where boxes say, inside the picture and beside each other."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from dsct_detrex.data.synthetic import table
from dsct_detrex.data.synthetic.dice import Dice
from dsct_detrex.data.synthetic.latents import PEOPLE_PERCENT, draw_caer_s_label, draw_emotic_labels, draw_latents
from dsct_detrex.data.synthetic.scene import draw_scene

SIZES = [(192, 144), (712, 400), (160, 160), (96, 128), (32, 32)]


def test_drawn_latents_follow_the_table() -> None:
    """The total variation distance of each conditional table and its sample is what chance explains."""
    dice = Dice(11)
    drawn = [draw_latents(dice, 5) for _ in range(12_000)]
    people = np.array([(d.scene, p.emotion, p.expression, p.thing) for d in drawn for p in d.people])
    counts = np.zeros(table.joint().shape)
    np.add.at(counts, tuple(people.T), 1)
    for axes in ((1, 2, 3), (2, 3), (0, 3), (0, 2)):  # scene; scene and emotion; emotion and face; emotion and object
        expected = table.joint().sum(axes)
        distance = abs(counts.sum(axes) / len(people) - expected).sum() / 2
        noise = 0.5 * np.sqrt(2 / np.pi * expected * (1 - expected) / len(drawn)).sum()  # mean of |normal|
        assert distance < 1.5 * noise
    sizes = np.bincount([len(d.people) for d in drawn], minlength=6)[1:] / len(drawn)
    np.testing.assert_allclose(sizes, np.array(PEOPLE_PERCENT) / 100, atol=0.015)


def test_drawn_labels_follow_the_table() -> None:
    dice = Dice(12)
    person = draw_latents(dice, 1).people[0]
    labels = np.bincount([draw_caer_s_label(dice, person) for _ in range(8000)], minlength=7) / 8000
    np.testing.assert_allclose(labels, table.caer_s_label_given_emotion()[person.emotion], atol=0.015)
    sets = [draw_emotic_labels(dice, 5, person) for _ in range(8000)]
    assert all(sets)
    lit = np.bincount([c for s in sets for c in s], minlength=26) / 8000
    np.testing.assert_allclose(lit, table.emotic_label_given_latents()[5, person.emotion, person.thing], atol=0.025)


def test_dice_depend_on_every_part_of_their_key() -> None:
    keys = [
        (0, "train", 1),
        (0, "train", 2),
        (1, "train", 1),
        (0, "val", 1),
        (0, "train", 1, "paint"),
        (2**40, "train", 1),
    ]
    first = [Dice(*key).roll() for key in keys]
    assert len(set(first)) == len(keys)
    assert first == [Dice(*key).roll() for key in keys]


def test_dice_never_choose_what_has_no_weight() -> None:
    dice = Dice(1)
    assert {dice.index([0.0, 0.5, 0.0, 0.5, 0.0]) for _ in range(500)} == {1, 3}


@pytest.mark.parametrize("size", SIZES)
def test_heads_are_inside_apart_and_large(size: tuple[int, int]) -> None:
    width, height = size
    for i in range(300):
        people = draw_scene((3, "train", i), size, 5).people
        for person in people:
            x0, y0, x1, y1 = person.head_box()
            assert 0 <= x0 < x1 <= width
            assert 0 <= y0 < y1 <= height
            bx0, by0, bx1, by1 = person.body_box()
            assert bx0 <= x0
            assert by0 <= y0
            assert bx1 >= x1
            assert by1 > y1
        for left, right in itertools.pairwise(people):
            assert left.head_box()[2] < right.head_box()[0]
            overlap = left.body_box()[2] - right.body_box()[0]
            assert overlap < 0.25 * 2 * 0.6 * min(left.unit, right.unit)
        if width >= height and len(people) <= 2:
            assert all(0.18 <= person.unit / height <= 0.36 for person in people)


def test_size_moves_people_but_not_what_they_mean() -> None:
    small, large = (draw_scene((0, "train", 4), size, 5) for size in ((192, 144), (712, 400)))
    assert small.latents == large.latents
    assert [p.look for p in small.people] == [p.look for p in large.people]
