"""Every cue of the table shows in the pixels, and nothing else does."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageChops

from dsct_detrex.data.synthetic import table
from dsct_detrex.data.synthetic.dice import Dice
from dsct_detrex.data.synthetic.drawing import paint_scene
from dsct_detrex.data.synthetic.drawing.canvas import Sheet
from dsct_detrex.data.synthetic.drawing.objects import _PLACES
from dsct_detrex.data.synthetic.drawing.people import paint_head, paint_person
from dsct_detrex.data.synthetic.drawing.sky import paint_precipitation
from dsct_detrex.data.synthetic.latents import SceneLatents
from dsct_detrex.data.synthetic.scene import Person, Scene, draw_scene

SIZE = (192, 144)


def scene_with(people: int) -> Scene:
    return next(s for s in (draw_scene((5, "train", i), SIZE, 5) for i in range(100)) if len(s.people) == people)


def acting(person: Person, **latents: int) -> Person:
    return replace(person, latents=replace(person.latents, **latents))


def difference(a: Image.Image, b: Image.Image) -> float:
    """Sum over pixels of the largest channel difference, in fully changed pixels."""
    return float(np.asarray(ImageChops.difference(a, b)).max(-1).sum() / 255)


def picture_of(scene: Scene, **latents: int) -> Image.Image:
    return paint_scene(replace(scene, people=tuple(acting(person, **latents) for person in scene.people)))


@pytest.mark.parametrize("people", [1, 5])
@pytest.mark.parametrize(("cue", "names"), [("expression", table.EXPRESSIONS), ("thing", table.OBJECTS)])
def test_personal_cues_look_different(people: int, cue: str, names: tuple[str, ...]) -> None:
    """Two expressions, or two objects, differ by a good part of the head's area."""
    scene = scene_with(people)
    others = {"thing": 0} if cue == "expression" else {"expression": 0}
    pictures = [picture_of(scene, **{cue: i}, **others) for i in range(len(names))]
    head_area = sum(person.unit**2 for person in scene.people)
    for (i, a), (j, b) in itertools.combinations(enumerate(pictures), 2):
        assert difference(a, b) > 0.06 * head_area, (names[i], names[j])


@pytest.mark.parametrize("people", [1, 5])
def test_faces_alone_look_different(people: int) -> None:
    """The six faces differ on the head itself, without help from the posture."""
    person = scene_with(people).people[0]

    def head(expression: int) -> Image.Image:
        sheet = Sheet(SIZE, 3)
        paint_head(sheet.frame().inner(person.x, person.y, person.unit), acting(person, expression=expression))
        return sheet.finish()

    heads = [head(i) for i in range(len(table.EXPRESSIONS))]
    for (i, a), (j, b) in itertools.combinations(enumerate(heads), 2):
        assert difference(a, b) > 0.03 * person.unit**2, (table.EXPRESSIONS[i], table.EXPRESSIONS[j])


def test_things_themselves_look_different() -> None:
    """The twelve things differ when drawn at the same place and size, without the hands that hold them."""

    def alone(name: str) -> Image.Image:
        sheet = Sheet((40, 40), 3)
        (_, _, paint) = _PLACES[name]
        paint(sheet.frame().inner(20, 20, 18))
        return sheet.finish()

    pictures = {name: alone(name) for name in table.OBJECTS[1:]}
    for a, b in itertools.combinations(pictures, 2):
        assert difference(pictures[a], pictures[b]) > 0.25 * 18**2, (a, b)


@pytest.mark.parametrize("light", table.LIGHTS)
@pytest.mark.parametrize("window", [False, True])
def test_weather_falls_from_the_sky(light: str, window: bool) -> None:
    """Rain, storm and snow fall within their area, window or whole picture, and nothing falls from a clear sky."""
    x0, y0, x1, y1 = area = (0.3, 0.06, 0.9, 0.44) if window else (0.0, 0.0, 4 / 3, 1.0)
    pixels = (x1 - x0) * (y1 - y0) * SIZE[1] ** 2
    for weather in table.WEATHERS:
        sheet = Sheet(SIZE, 3)
        paint_precipitation(sheet.frame().inner(0, 0, SIZE[1]), Dice(1), weather, light, area)
        fallen = float(np.asarray(sheet.finish()).max(-1).sum() / 255)
        assert fallen == 0 if weather == "clear" else fallen > 0.01 * pixels, weather


@pytest.mark.parametrize("attribute", [0, 1, 2], ids=["place", "weather", "light"])
def test_scene_attributes_look_different(attribute: int) -> None:
    """Scenes that differ in one attribute differ visibly, indoors as well, with people in front."""
    scene = scene_with(2)
    for a, b in itertools.combinations(range(len(table.SCENES)), 2):
        differing = [k for k in range(3) if table.SCENES[a][k] != table.SCENES[b][k]]
        if differing == [attribute] and (a + b) % 3 == 0:  # a third of the pairs is enough
            pair = [paint_scene(replace(scene, latents=SceneLatents(s, scene.latents.people))) for s in (a, b)]
            assert difference(*pair) > 0.01 * SIZE[0] * SIZE[1], (table.SCENES[a], table.SCENES[b])


def test_the_hidden_emotion_is_not_drawn() -> None:
    scene = scene_with(3)
    assert picture_of(scene, emotion=0).tobytes() == picture_of(scene, emotion=4).tobytes()


@pytest.mark.parametrize("size", [SIZE, (712, 400)])
def test_boxes_frame_what_is_drawn(size: tuple[int, int]) -> None:
    """The skull and its fringe fill the head box; the whole person, empty-handed and bare-headed, the body box."""
    for i in range(40):
        for person in draw_scene((9, "test", i), size, 5).people:
            sheet = Sheet(size, 2)
            paint_head(sheet.frame().inner(person.x, person.y, person.unit), person)
            assert_frames(sheet.finish(), person.head_box(), size, slack=0.04 * person.unit + 1, least=0.75)
            sheet = Sheet(size, 2)
            paint_person(sheet.frame(), acting(person, thing=0), "kitchen", "clear")
            assert_frames(sheet.finish(), person.body_box(), size, slack=0.12 * person.unit + 1, least=0.6)


def assert_frames(
    picture: Image.Image, box: tuple[float, float, float, float], size: tuple[int, int], slack: float, least: float
) -> None:
    """The drawn pixels leave the box by at most ``slack`` and fill at least the share ``least`` of its area."""
    drawn = picture.getbbox()
    x0, y0, x1, y1 = max(0, box[0]), max(0, box[1]), min(size[0], box[2]), min(size[1], box[3])
    assert drawn is not None
    assert drawn[0] >= x0 - slack
    assert drawn[1] >= y0 - slack
    assert drawn[2] <= x1 + slack
    assert drawn[3] <= y1 + slack
    assert (drawn[2] - drawn[0]) * (drawn[3] - drawn[1]) >= least * (x1 - x0) * (y1 - y0)


@pytest.mark.parametrize("thing", range(1, len(table.OBJECTS)), ids=table.OBJECTS[1:])
def test_things_stay_near_their_owner(thing: int) -> None:
    """What an object changes lies within about one head height of its owner's middle, and leaves the face alone."""
    person = scene_with(1).people[0]
    middle = replace(person, x=96.0, y=60.0, unit=30.0)

    def drawn(index: int) -> Image.Image:
        sheet = Sheet(SIZE, 2)
        paint_person(sheet.frame(), acting(middle, thing=index, expression=5), "kitchen", "clear")
        return sheet.finish()

    changed = ImageChops.difference(drawn(thing), drawn(0))
    box = changed.getbbox()
    assert box is not None
    assert box[0] >= 96 - 1.1 * 30
    assert box[2] <= 96 + 1.1 * 30
    face = changed.crop((96 - 9, 60 - 8, 96 + 9, 60 + 13))
    assert face.getbbox() is None
