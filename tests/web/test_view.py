"""Marks, bars, clicks and the download: what is drawn is what was weighed."""

import base64
import json
import re

import pytest
import torch
from PIL import Image

from dsct_detrex.data.images import photo_of
from dsct_detrex.prediction import Prediction
from dsct_detrex.structures import CAER_S, EMOTIC, Person
from dsct_detrex.web import words
from dsct_detrex.web.bars import bars_html
from dsct_detrex.web.look import Contexts, Look, Points
from dsct_detrex.web.marks import (
    BOTH,
    NEAREST,
    OF_CONTEXTS,
    OWN,
    RELEVANT,
    context_marks,
    draw_marks,
    point_marks,
    strongest,
)
from dsct_detrex.web.view import download_html, person_at
from tests.visualization.fabricated import people

CONTEXTS = Contexts(
    places=torch.tensor([[0.1, 0.1], [0.5, 0.5], [0.9, 0.5], [0.5, 0.9]]),
    weights=torch.tensor([[0.0, 0.4, 0.1, 0.5]]),
    nearest=torch.tensor([[False, True, True, False]]),
    relevant=torch.tensor([[False, True, False, True]]),
)
POINTS = Points(
    references=torch.full((5, 2), 0.5),
    places=torch.rand(5, 4, 2, generator=torch.Generator().manual_seed(0)),
    weights=torch.tensor([[0.7, 0.1, 0.1, 0.1]]).expand(5, 4),
    num_contexts=4,
)


def shown(boxes: list[list[float]], emotions=CAER_S, size: tuple[int, int] = (100, 200)) -> Prediction:
    found = people(emotions, boxes, size, [0] * len(boxes))
    pixels = photo_of(Image.new("RGB", (size[1], size[0]), "#808080"))
    return Prediction(found, emotions, (0.5,) * emotions.num_emotions, "a.png", pixels)


@pytest.mark.parametrize(
    ("weights", "share", "most", "chosen"),
    [
        ([], 0.8, 9, []),
        ([0.0, 0.0], 0.8, 9, []),
        ([0.1, 0.5, 0.4], 0.5, 9, [1]),
        ([0.1, 0.5, 0.4], 0.51, 9, [1, 2]),
        ([0.1, 0.5, 0.4], 1.0, 9, [1, 2, 0]),
        ([0.1, 0.5, 0.4], 1.0, 2, [1, 2]),
        ([0.0, 1.0], 1.0, 9, [1]),
    ],
)
def test_the_strongest_carry_the_share(weights: list[float], share: float, most: int, chosen: list[int]) -> None:
    assert strongest(torch.tensor(weights), share, most) == chosen


def test_contexts_are_marked_by_their_choice_and_weight() -> None:
    marks = context_marks(CONTEXTS, 0)
    assert [mark.look for mark in marks] == [RELEVANT, BOTH, NEAREST]
    assert [mark.weight for mark in marks] == pytest.approx([1.0, 0.8, 0.2])
    assert (marks[0].x, marks[0].y) == pytest.approx((0.5, 0.9))


def test_points_of_contexts_count_as_much_as_their_context() -> None:
    marks = point_marks(POINTS, CONTEXTS, 0)
    own = [mark for mark in marks if mark.look == OWN]
    assert [mark.weight for mark in own] == pytest.approx([1.0, 1 / 7])  # 0.7 and 0.1 carry 80 %
    assert (own[0].x, own[0].y) == pytest.approx(POINTS.places[4, 0].tolist()), "the subject stands behind the contexts"
    through = [mark for mark in marks if mark.look == OF_CONTEXTS]
    first = POINTS.places[3, 0]  # the heaviest context's heaviest point
    assert (through[0].x, through[0].y) == pytest.approx((float(first[0]), float(first[1])))
    assert through[1].weight == pytest.approx(0.8)
    assert marks.index(own[0]) == len(through), "the person's own are drawn over the others"
    assert point_marks(POINTS, None, 0) == own


def test_a_mark_s_area_is_its_weight() -> None:
    picture = Image.new("RGB", (400, 200), "#000000")

    def area(weight: float) -> int:
        mark = next(iter(context_marks(CONTEXTS, 0)))
        drawn = draw_marks(picture, (0, 0, 0.01, 0.01), [type(mark)(0.5, 0.5, weight, NEAREST)], (0.99, 0.99), 0.03)
        around = drawn.crop((380, 140, 580, 340)).convert("L").point(lambda value: 255 * (value > 40))
        return around.histogram()[255]

    assert area(1.0) / area(0.25) == pytest.approx(4, rel=0.12)


def test_the_person_is_lit_and_the_rest_dimmed() -> None:
    drawn = draw_marks(Image.new("RGB", (400, 200), "#808080"), (0.25, 0.25, 0.5, 0.75), [], (0.9, 0.9), 0.03)
    assert drawn.size == (960, 480)
    assert drawn.getpixel((360, 240)) == (128, 128, 128)
    assert drawn.getpixel((700, 60)) == (76, 76, 76)


def test_marks_let_the_picture_shine_through() -> None:
    mark = context_marks(CONTEXTS, 0)[0]
    grounds = [
        draw_marks(Image.new("RGB", (300, 300), color), (0, 0, 0.1, 0.1), [mark], (0, 0), 0.03).getpixel((480, 864))
        for color in ("#000000", "#ffffff")
    ]
    assert grounds[0] != grounds[1]


@pytest.mark.parametrize(("x", "y", "person"), [(0.1, 0.2, 0), (0.3, 0.5, 1), (0.99, 0.99, None)])
def test_a_click_chooses_the_smallest_box_around_it(x: float, y: float, person: int | None) -> None:
    assert person_at(shown([[0, 0, 100, 90], [50, 40, 80, 60]]), x, y) == person


def test_bars_are_escaped_sorted_and_marked() -> None:
    person = Person((0, 0, 1, 1), 0.9, ("<b>",), {"calm": 0.25, "<b>": 0.75})
    page = bars_html(person, "#56b4e9", [0.5, 0.6])
    assert re.findall(r'<tr class="(\w+)"><th scope="row">([^/]+)</th>', page) == [
        ("shown", "&lt;b&gt;"),
        ("unshown", "calm"),
    ]
    assert re.findall(r"width: ([\d.]+)%", page) == ["75.0", "25.0"]
    assert re.findall(r"left: ([\d.]+)%", page) == ["60.0", "50.0"]
    assert "left:" not in bars_html(person, "#56b4e9")


def test_the_download_carries_the_rows_of_predictions_json() -> None:
    found = shown([[0, 0, 100, 90], [50, 40, 80, 60]])
    encoded = re.search(r'href="data:application/json;base64,([^"]+)"', download_html(found))
    assert encoded is not None
    assert json.loads(base64.b64decode(encoded[1])) == [found.to_dict()]


def test_names_of_people() -> None:
    box = (0.0, 0.0, 1.0, 1.0)
    assert words.person_name(1, Person(box, 0.9, ("Happy",), {"Happy": 0.873})) == "1: Happy 87 %"
    assert words.person_name(2, Person(box, 0.9, ("Peace", "Yearning", "Fear"), {})) == "2: Peace, Yearning +1"


def test_who_was_found_is_said() -> None:
    look = Look(shown([[0, 0, 100, 90]], EMOTIC), ())
    score = look.people[0].score
    assert words.found(look, look.shown(0.0), 0.0) == "1 person of at least 0.00 confidence."
    assert f"The surest guess has {score:.2f}" in words.found(look, look.shown(1.0), 1.0)


def test_the_shares_of_the_choices_add_up() -> None:
    said = words.contexts_taken_in(CONTEXTS, 0)
    assert "3 of 4 contexts taken in" in said
    assert [int(share) for share in re.findall(r"(\d+) % of the weight", said)] == [10, 50, 40]
