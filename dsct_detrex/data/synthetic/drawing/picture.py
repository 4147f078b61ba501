"""The whole picture: sky, place, weather, then the people from the back to the front."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image

from ..dice import Dice
from ..scene import Scene
from . import indoors, outdoors
from .canvas import Frame, Sheet, Tint
from .palette import PEOPLE, SURROUNDINGS
from .people import paint_person
from .sky import paint_precipitation, paint_sky

_SMALL = 160  # pixels of height up to which a face needs the finer averaging

_OUTDOORS: dict[str, Callable[[Frame, Dice, float, bool, bool], None]] = {
    "park": outdoors.paint_park,
    "street": outdoors.paint_street,
    "graveyard": outdoors.paint_graveyard,
}
_INDOORS: dict[str, Callable[[Frame, Dice, float, indoors.Window], None]] = {
    "kitchen": indoors.paint_kitchen,
    "office": indoors.paint_office,
    "party": indoors.paint_party,
}


def paint_scene(scene: Scene) -> Image.Image:
    """Draw a scene: RGB, ``scene.size`` pixels, the same bytes every time."""
    sheet = Sheet(scene.size, oversample=3 if scene.size[1] <= _SMALL else 2)
    pixels = sheet.frame()
    _paint_surroundings(sheet, pixels, scene)
    people = pixels.lit(PEOPLE[scene.light])
    for person in sorted(scene.people, key=lambda person: person.ground):
        paint_person(people, person, scene.place, scene.weather)
    return sheet.finish()


def _paint_surroundings(sheet: Sheet, pixels: Frame, scene: Scene) -> None:
    width, height = scene.size
    wide = width / height
    dice = Dice(*scene.paint_key)
    sky = pixels.inner(0, 0, height)
    tint = SURROUNDINGS[scene.light]
    if scene.place in _OUTDOORS:
        horizon = 0.36 if scene.place == "street" else outdoors.HORIZON  # houses hide the lower sky
        paint_sky(sheet, sky, dice, scene.weather, scene.light, (0, 0, wide, horizon))
        ground = sky.lit(_dimmed(tint, scene.weather))
        _OUTDOORS[scene.place](ground, dice, wide, scene.weather == "snow", scene.light == "night")
        paint_precipitation(sky, dice, scene.weather, scene.light, (0, 0, wide, 1))
    else:
        window = indoors.window_of(dice, wide)
        paint_sky(sheet, sky, dice, scene.weather, scene.light, window)
        paint_precipitation(sky, dice, scene.weather, scene.light, window)
        lamp_lit = ((1 + tint[0]) / 2, (1 + tint[1]) / 2, (1 + tint[2]) / 2)
        _INDOORS[scene.place](sky.lit(lamp_lit), dice, wide, window)


def _dimmed(tint: Tint, weather: str) -> Tint:
    """Clouds take light away."""
    factor = {"clear": 1.0, "rain": 0.84, "storm": 0.78, "snow": 0.97}[weather]
    return tint[0] * factor, tint[1] * factor, tint[2] * factor
