"""Chips: where they go, and that they stay there."""

import itertools

import pytest
from PIL import ImageFont

from dsct_detrex.visualization.chips import bars_chip, label_chip, place_chip

CANVAS = (200, 100)


def test_a_free_chip_stands_on_the_upper_edge_of_its_box() -> None:
    assert place_chip((60, 20), (50, 40, 90, 80), CANVAS, [], [(50, 40, 90, 80)]) == (50, 20, 110, 40)


def test_below_prefers_the_lower_edge() -> None:
    assert place_chip((60, 20), (50, 40, 90, 80), CANVAS, [], [(50, 40, 90, 80)], below=True) == (50, 80, 110, 100)


def test_a_taken_place_is_avoided() -> None:
    box = (50, 40, 90, 80)
    first = place_chip((60, 20), box, CANVAS, [], [box])
    second = place_chip((60, 20), box, CANVAS, [first], [box])
    assert second[0] >= first[2] or second[2] <= first[0] or second[1] >= first[3] or second[3] <= first[1]


@pytest.mark.parametrize("corner", list(itertools.product([-30, 0, 90, 180], [-10, 0, 50, 95])))
@pytest.mark.parametrize("size", [(60, 20), (200, 100), (10, 100)])
def test_a_chip_never_leaves_the_canvas(corner: tuple[int, int], size: tuple[int, int]) -> None:
    box = (corner[0], corner[1], corner[0] + 40, corner[1] + 30)
    x0, y0, x1, y1 = place_chip(size, box, CANVAS, [(0, 0, 100, 50)], [box])
    assert 0 <= x0 <= x1 <= CANVAS[0]
    assert 0 <= y0 <= y1 <= CANVAS[1]
    assert (x1 - x0, y1 - y0) == size


def test_bars_are_as_long_as_their_probabilities() -> None:
    color = (255, 0, 0)
    chip = bars_chip([("Joy", 1.0), ("Joy", 0.5), ("Joy", 0.0)], "#ff0000", ImageFont.load_default(20)).convert("RGB")
    edge = next(x for x in range(chip.width) if chip.getpixel((x, chip.height // 2)) != color)
    lengths = []
    for row in (1, 3, 5):
        line = [chip.getpixel((x, chip.height * row // 6)) for x in range(edge, chip.width)]
        lengths.append(sum(pixel == color for pixel in line))
    assert lengths[1] == pytest.approx(lengths[0] / 2, abs=2)
    assert lengths[2] <= 2


def test_a_longer_label_makes_a_wider_chip() -> None:
    font = ImageFont.load_default(20)
    assert label_chip("Doubt/Confusion 71 %", "#ffffff", font).width > label_chip("Fear 71 %", "#ffffff", font).width
