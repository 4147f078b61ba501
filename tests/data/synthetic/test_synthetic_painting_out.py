"""Painted out: a picture that says no more, and is otherwise the same; and what is then right to believe."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import ImageChops

from dsct_detrex.data.synthetic import Cause, PaintedOut, SyntheticScenes, label_probabilities, table, ways
from dsct_detrex.data.synthetic.bounds import atoms
from dsct_detrex.data.synthetic.drawing import paint_scene, paint_with_notes
from dsct_detrex.data.synthetic.latents import Latents, SceneLatents
from dsct_detrex.data.synthetic.scene import Scene, draw_scene

SIZE = (192, 144)


def scene_with(people: int, place: str = "park", weather: str = "storm", light: str = "day") -> Scene:
    scene = next(s for s in (draw_scene((5, "out", i), SIZE, 5) for i in range(100)) if len(s.people) == people)
    return replace(scene, latents=SceneLatents(table.SCENES.index((place, weather, light)), scene.latents.people))


def acting(scene: Scene, person: int, **latents: int) -> Scene:
    people = list(scene.people)
    people[person] = replace(people[person], latents=replace(people[person].latents, **latents))
    shown = replace(scene.latents, people=tuple(one.latents for one in people))
    return replace(scene, people=tuple(people), latents=shown)


@pytest.mark.parametrize("thing", [0, 1, 6, 8])
@pytest.mark.parametrize("cause", ["object", "face"])
def test_a_cause_of_a_person_is_told_no_more(cause: Cause, thing: int) -> None:
    """Whatever the person held, or whatever face they made, the picture without it is the same."""
    scene = acting(scene_with(2), 1, thing=thing, expression=2)
    others = [acting(scene, 1, **{"thing" if cause == "object" else "expression": other}) for other in range(6)]
    pictures = {paint_scene(one, PaintedOut(cause, 1)).tobytes() for one in (scene, *others)}
    assert len(pictures) == 1
    assert len({paint_scene(one).tobytes() for one in others}) == 6


@pytest.mark.parametrize("cause", ["object", "face"])
def test_only_its_owner_changes(cause: Cause) -> None:
    scene = acting(acting(scene_with(2), 0, thing=3), 1, thing=4)
    changed = ImageChops.difference(paint_scene(scene), paint_scene(scene, PaintedOut(cause, 1))).getbbox()
    assert changed is not None
    owner = scene.people[1]
    assert changed[0] >= owner.x - 1.3 * owner.unit
    assert changed[2] <= owner.x + 1.3 * owner.unit
    lost = {t for t in paint_with_notes(scene).things if t.kind == "object"} - set(
        paint_with_notes(scene, PaintedOut(cause, 1)).things
    )
    assert {thing.owner for thing in lost} <= {1}
    assert bool(lost) == (cause == "object")


def test_light_is_told_no_more() -> None:
    pictures = {
        paint_scene(scene_with(2, "park", "storm", light), PaintedOut("light")).tobytes() for light in table.LIGHTS
    }
    assert len(pictures) == 1


def test_place_is_told_no_more() -> None:
    """Outside, where the dice of the sky fall alike; a room takes one of them for its window."""
    places = ("park", "street", "graveyard")
    outs = PaintedOut("place")
    assert len({paint_scene(scene_with(2, place, "clear"), outs).tobytes() for place in places}) == 1
    inside = paint_with_notes(scene_with(2, "party", "clear"), outs)
    assert "place" not in {thing.kind for thing in inside.things}


def test_weather_is_told_no_more() -> None:
    """Clouds take dice, so landmarks stand elsewhere under another weather; sky and people are the same."""
    pictures = [
        np.asarray(paint_scene(scene_with(1, "kitchen", weather, "dusk"), PaintedOut("weather")))
        for weather in table.WEATHERS
    ]
    window = [picture[12:20, 90:100] for picture in pictures]
    assert len({piece.tobytes() for piece in window}) == 1


@pytest.mark.parametrize("cause", ["place", "weather", "light"])
def test_no_landmark_of_it_stays(cause: Cause) -> None:
    """In no scene; people and the other landmarks stay, in pixels that are the same where no light falls on them."""
    gone = {"place": {"place"}, "weather": {"weather", "light"}, "light": {"light"}}[cause]
    for place, weather, light in table.SCENES[::5]:  # each value of each part
        scene = scene_with(1, place, weather, light)
        before, after = paint_with_notes(scene), paint_with_notes(scene, PaintedOut(cause))
        kinds = {thing.kind for thing in after.things if thing.name != "lit window" or cause == "light"}
        assert not kinds & gone, (place, weather, light)
        if cause != "place":
            assert {t.name for t in before.things if t.kind == "place"} <= {t.name for t in after.things}
        assert {t.name for t in before.things if t.kind == "object"} == {
            t.name for t in after.things if t.kind == "object"
        }
        assert before.image.tobytes() != after.image.tobytes()


def test_landmarks_stay_where_they_are() -> None:
    for cause in ("weather", "light"):
        for place in table.PLACES:
            scene = scene_with(1, place, "rain", "night")
            before, after = paint_with_notes(scene), paint_with_notes(scene, PaintedOut(cause))
            boxes = [
                [t.box for t in one.things if t.name in ("car", "fridge", "chart", "cake")] for one in (before, after)
            ]
            np.testing.assert_allclose(*boxes, atol=1.5)  # rain hides a little


def test_every_cause_once() -> None:
    scene = acting(acting(scene_with(2), 0, thing=0), 1, thing=5)
    causes = [(out.cause, out.person) for out in ways(scene)]
    expected = [("object", 1), ("face", 0), ("face", 1), ("place", None), ("weather", None), ("light", None)]
    assert causes == expected
    data = SyntheticScenes("caer_s", "test", 2)
    out = ways(data.scene(0))[0]
    assert data.load_without(0, out).tobytes() == paint_scene(data.scene(0), out).tobytes()


@pytest.mark.parametrize("wrong", [("face", None), ("place", 0)])
def test_whose_cause_it_is_must_be_clear(wrong: tuple[Cause, int | None]) -> None:
    with pytest.raises(ValueError, match=rf"PaintedOut\('{wrong[0]}', person=\) expects "):
        PaintedOut(*wrong)


def alone(scene: int, expression: int, thing: int) -> Scene:
    drawn = scene_with(1)
    person = Latents(0, expression, thing)
    return replace(drawn, people=(replace(drawn.people[0], latents=person),), latents=SceneLatents(scene, (person,)))


@pytest.mark.parametrize("format", ["caer_s", "emotic"])
def test_of_somebody_alone_it_is_the_share_of_the_atom(format: str) -> None:
    """The bounds group people by what shows; the posterior is the share of positives of such a group."""
    mass, positive = atoms(format, ("scene", "expression", "object"))  # type: ignore[arg-type]
    shares = (positive / np.maximum(mass, 1e-300)[:, None]).reshape(len(table.SCENES), 6, 13, -1)
    for scene, expression, thing in ((0, 4, 9), (17, 0, 1), (71, 2, 0)):
        found = label_probabilities(format, alone(scene, expression, thing), 0)  # type: ignore[arg-type]
        np.testing.assert_allclose(found, shares[scene, expression, thing], atol=1e-12)


def test_without_face_or_object_the_atom_is_larger() -> None:
    for cause, visible in (("face", ("scene", "object")), ("object", ("scene", "expression"))):
        mass, positive = atoms("caer_s", visible)
        shares = (positive / mass[:, None]).reshape(len(table.SCENES), -1, 7)
        seen = alone(30, 3, 4)
        expected = shares[30, 4 if cause == "face" else 3]
        np.testing.assert_allclose(label_probabilities("caer_s", seen, 0, PaintedOut(cause, 0)), expected, atol=1e-12)  # type: ignore[arg-type]


@pytest.mark.parametrize("cause", ["place", "weather", "light"])
def test_other_people_tell_of_a_hidden_part(cause: Cause) -> None:
    """Counted out in loops: all values of the hidden part, all emotions of both people."""
    scene = acting(
        acting(scene_with(2, "street", "rain", "night"), 0, expression=5, thing=1), 1, expression=3, thing=10
    )
    part = ("place", "weather", "light").index(cause)
    expected = np.zeros(7)
    for index, parts in enumerate(table.SCENES):
        if all(a == b for k, (a, b) in enumerate(zip(parts, ("street", "rain", "night"))) if k != part):
            for own in range(7):
                for other in range(7):
                    chance = table.scene_probability()[index]
                    for emotion, shown in ((own, scene.people[0].latents), (other, scene.people[1].latents)):
                        chance *= table.emotion_given_scene()[index, emotion]
                        chance *= table.expression_given_emotion()[emotion, shown.expression]
                        chance *= table.object_given_emotion()[emotion, shown.thing]
                    expected[own] += chance
    expected = expected / expected.sum() @ table.caer_s_label_given_emotion()
    found = label_probabilities("caer_s", scene, 0, PaintedOut(cause))
    np.testing.assert_allclose(found, expected, atol=1e-12)
    lonely = replace(
        scene, people=scene.people[:1], latents=SceneLatents(scene.latents.scene, scene.latents.people[:1])
    )
    assert abs(label_probabilities("caer_s", lonely, 0, PaintedOut(cause)) - found).max() > 1e-3


def test_somebody_elses_cause_says_nothing_while_the_scene_shows() -> None:
    scene = acting(scene_with(2), 1, thing=7)
    for format in ("caer_s", "emotic"):
        before = label_probabilities(format, scene, 0)  # type: ignore[arg-type]
        for cause in ("object", "face"):
            after = label_probabilities(format, scene, 0, PaintedOut(cause, 1))  # type: ignore[arg-type]
            np.testing.assert_allclose(after, before, atol=1e-12)
