"""Labels beside points cover neither each other nor a point."""

import itertools

import pytest

pytest.importorskip("matplotlib")

from matplotlib.figure import Figure

from dsct_detrex.visualization.labels import place_labels

CROWDS = {
    "one": [(1.0, 1.0)],
    "none": [],
    "apart": [(1.0, 1.0), (2.0, 2.0), (3.0, 1.0)],
    "side by side": [(1.00 + 0.02 * i, 1.0) for i in range(6)],
    "stacked": [(1.0, 1.00 + 0.03 * i) for i in range(6)],
    "equal": [(1.0, 1.0), (1.0, 1.0), (2.0, 2.0)],
    "at the edges": [(0.0, 0.0), (3.0, 0.0), (0.0, 3.0), (3.0, 3.0)],
}


@pytest.mark.parametrize("points", CROWDS.values(), ids=CROWDS)
def test_no_label_covers_another_or_leaves_the_axes(points):
    figure = Figure(figsize=(8, 5))
    axes = figure.subplots()
    axes.set(xlim=(-0.1, 3.1), ylim=(-0.1, 3.1))
    figure.draw_without_rendering()
    boxes = place_labels(axes, [(x, y, f"system number {i}", "black") for i, (x, y) in enumerate(points)])
    assert len(boxes) == len(points)
    for one, other in itertools.combinations(boxes, 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
    edge = axes.get_window_extent()
    scale = 72 / figure.dpi
    for left, bottom, right, top in boxes:
        assert edge.x0 * scale <= left < right <= edge.x1 * scale
        assert edge.y0 * scale <= bottom < top <= edge.y1 * scale
    for x, y in points:
        px, py = axes.transData.transform((x, y)) * scale
        covering = [box for box in boxes if box[0] < px < box[2] and box[1] < py < box[3]]
        assert not covering


def test_a_label_far_from_its_point_has_a_line_to_it():
    figure = Figure(figsize=(8, 5))
    axes = figure.subplots()
    axes.set(xlim=(0, 3), ylim=(0, 3))
    figure.draw_without_rendering()
    place_labels(axes, [(1.0, 1.0, "alone", "black")])
    assert not axes.lines
    place_labels(axes, [(1.0 + 0.01 * i, 2.0, f"system number {i}", "black") for i in range(9)])
    assert axes.lines
