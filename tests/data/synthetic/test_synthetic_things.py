"""The record of what is painted where: true to the pixels, and no pixel of it in the picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from dsct_detrex.data.synthetic import NOTHING, Painted, SyntheticScenes, Thing, table
from dsct_detrex.data.synthetic.drawing import paint_scene, paint_with_notes
from dsct_detrex.data.synthetic.drawing.canvas import Frame, Sheet
from dsct_detrex.data.synthetic.drawing.objects import _PLACES
from dsct_detrex.data.synthetic.latents import SceneLatents
from dsct_detrex.data.synthetic.scene import Scene, draw_scene

SIZE = (192, 144)
LANDMARKS = {
    "park": {"tree"},
    "street": {"house", "car", "traffic light"},
    "kitchen": {"cupboards", "fridge", "stove"},
    "office": {"blinds", "chart", "desk", "pot plant"},
    "graveyard": {"bare tree", "fence", "gravestone"},
    "party": {"bunting", "mirror ball", "confetti", "cake"},
}
"""What shows in some scene of a place; not everything does in each, for people stand before it."""


def scenes() -> Iterator[Scene]:
    """Every place, weather and light once, with one to five people."""
    for index in range(len(table.SCENES)):
        drawn = draw_scene((3, "things", index), SIZE, 5)
        yield replace(drawn, latents=SceneLatents(index, drawn.latents.people))


@pytest.fixture(scope="module")
def painted() -> list[tuple[Scene, Painted]]:
    return [(scene, paint_with_notes(scene)) for scene in scenes()]


def test_the_record_changes_no_pixel(painted: list[tuple[Scene, Painted]]) -> None:
    for scene, noted in painted:
        assert noted.image.tobytes() == paint_scene(scene).tobytes()


def test_nothing_is_kept_unless_asked_for() -> None:
    """Drawing without a record makes no frame more than before: training draws every scene once."""
    frame = Sheet(SIZE, 2).frame()
    assert frame.thing("place", "tree") is frame


@pytest.mark.parametrize("name", table.OBJECTS[1:])
@pytest.mark.parametrize("turn", [0.0, 25.0])
def test_the_map_is_where_the_pixels_are(name: str, turn: float) -> None:
    """A thing alone on black: what is not black is the thing, to the pixel of the sheet, and its box frames that."""
    sheet = Sheet((60, 60), 3, noted=True)
    _PLACES[name][2](sheet.frame().thing("object", name, 4).inner(30, 34, 16, turn=turn))
    record = sheet.painted()
    drawn = np.asarray(sheet.image).any(-1)
    np.testing.assert_array_equal(record.map == 0, drawn)
    rows, columns = np.nonzero(drawn)
    box = (columns.min() / 3, rows.min() / 3, (columns.max() + 1) / 3, (rows.max() + 1) / 3)
    assert record.things == (Thing("object", name, box, 4),)


def test_what_lies_in_front_hides_what_lies_behind() -> None:
    sheet = Sheet((40, 30), 2, noted=True)
    page = sheet.frame()
    page.thing("place", "hidden").box(10, 10, 14, 14, (9, 9, 9))
    page.thing("place", "half").box(10, 0, 20, 10, (9, 9, 9))
    page.box(8, 8, 30, 30, (1, 1, 1))  # a plain surface
    page.thing("light", "speck").box(1, 1, 1, 1, (5, 5, 5))
    page.thing("weather", "front").box(15, 0, 40, 5, (7, 7, 7))
    record = sheet.painted()
    assert [(thing.name, thing.box[:2]) for thing in record.things] == [("half", (10, 0)), ("front", (15, 0))]
    assert record.things[0].box[3] == 8
    points = np.array([[12 / 40, 4 / 30], [30 / 40, 2 / 30], [12 / 40, 12 / 30], [1.0, 0.0], [1.01, 0.5], [-0.1, 0.5]])
    assert record.at(points).tolist() == [0, 1, NOTHING, 1, NOTHING, NOTHING]


def test_a_new_sky_covers_everything() -> None:
    sheet = Sheet((20, 20), 2, noted=True)
    sheet.frame().thing("place", "old").box(2, 2, 9, 9, (9, 9, 9))
    sheet.gradient((1, 2, 3), (4, 5, 6))
    assert sheet.painted().things == ()


def test_unseen_leaves_no_trace() -> None:
    sheet = Sheet((20, 20), 2, noted=True)

    def everything(frame: Frame) -> None:
        frame.thing("place", "tree").disc(9, 9, 4, 4, (9, 9, 9))
        frame.inner(3, 3, 2, turn=10).line(((0, 0), (4, 4), (6, 0)), 2, (9, 9, 9))
        frame.polygon(((0, 0), (9, 0), (9, 9)), (9, 9, 9))

    everything(sheet.frame().unseen())
    assert sheet.painted().things == ()
    assert not np.asarray(sheet.image).any()
    everything(sheet.frame())
    assert np.asarray(sheet.image).any()


@pytest.mark.parametrize("place", table.PLACES)
def test_places_show_their_landmarks(place: str, painted: list[tuple[Scene, Painted]]) -> None:
    names = {t.name for scene, noted in painted if scene.place == place for t in noted.things if t.kind == "place"}
    extra = {"park": {"flowers"}, "graveyard": {"cross"}, "party": {"party hat"}}.get(place, set())
    assert LANDMARKS[place] <= names <= LANDMARKS[place] | extra


def told(painted: list[tuple[Scene, Painted]], kind: str, chosen: Callable[[Scene], bool]) -> set[str]:
    return {t.name for scene, noted in painted if chosen(scene) for t in noted.things if t.kind == kind}


@pytest.mark.parametrize(
    ("weather", "names"),
    [
        ("clear", {"cloud"}),
        ("rain", {"cloud", "rain"}),
        ("storm", {"cloud", "rain", "lightning"}),
        ("snow", {"cloud", "snow", "woolly hat", "scarf"}),
    ],
)
def test_weather_shows(weather: str, names: set[str], painted: list[tuple[Scene, Painted]]) -> None:
    assert told(painted, "weather", lambda scene: scene.weather == weather) == names


@pytest.mark.parametrize(
    ("light", "names"), [("day", {"sun"}), ("dusk", {"sun"}), ("night", {"moon", "stars", "lit window"})]
)
def test_light_shows(light: str, names: set[str], painted: list[tuple[Scene, Painted]]) -> None:
    assert told(painted, "light", lambda scene: scene.light == light) == names


def test_people_and_what_they_hold_are_their_own(painted: list[tuple[Scene, Painted]]) -> None:
    for scene, noted in painted:
        for index, person in enumerate(scene.people):
            own = {thing.name: thing for thing in noted.things if thing.owner == index and thing.kind != "weather"}
            held = table.OBJECTS[person.latents.thing]
            assert {"head", "body"} <= own.keys()
            assert [thing.name for thing in own.values() if thing.kind == "object"] == [held] * (held != "nothing")
            centre = np.array([[person.x / SIZE[0], person.y / SIZE[1]]])
            assert noted.things[int(noted.at(centre)[0])] == own["head"]
            x0, y0, x1, y1 = own["head"].box
            assert x0 <= person.x <= x1
            assert y0 <= person.y <= y1
            assert abs((y1 - y0) / person.unit - 1.1) < 0.6  # long hair hangs down


def test_the_data_set_gives_the_things_of_its_pictures() -> None:
    data = SyntheticScenes("caer_s", "val", 3, size=(96, 72))
    noted = data.painted(1)
    assert noted.image.tobytes() == data.load_image(1).tobytes()
    assert data.things(1) == list(noted.things)
    assert {"object", "person"} >= {thing.kind for thing in data.things(1) if thing.name in ("head", "body")}
    width, height = noted.image.size
    for thing in data.things(1):
        x0, y0, x1, y1 = thing.box
        assert 0 <= x0 < x1 <= width
        assert 0 <= y0 < y1 <= height
