"""Chips: where they go, and that they stay there."""

import itertools

import pytest
from PIL import Image, ImageFont

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


@pytest.mark.parametrize("ground", [(255, 255, 255), (0, 0, 0), (47, 196, 154)], ids=["bright", "dark", "like the bar"])
@pytest.mark.parametrize("probability", [0.06, 0.5, 1.0])
def test_only_the_filled_part_of_a_bar_looks_filled_on_any_picture(
    probability: float, ground: tuple[int, int, int]
) -> None:
    """The empty part shows neither the colour of the bar nor the picture behind the chip."""
    chip = bars_chip([("Joy", probability)], "#2fc49a", ImageFont.load_default(24))
    picture = Image.new("RGB", chip.size, ground)
    picture.paste(chip, (0, 0), chip)
    row = [picture.getpixel((x, chip.height // 2)) for x in range(chip.width)]
    filled = [x for x, pixel in enumerate(row) if pixel == (47, 196, 154)][3:]  # without the edge of the chip
    filled = [x for x in filled if x > chip.width // 4]
    track = [x for x, pixel in enumerate(row) if pixel == (62, 66, 74)]
    whole_bar = len(filled) + len(track)
    assert whole_bar > 40
    assert len(filled) / whole_bar == pytest.approx(probability, abs=1 / whole_bar)
    assert not track or filled[-1] + 1 == track[0], "the track goes on where the bar ends"
