"""The whole picture: sky, place, weather, then the people from the back to the front."""

from __future__ import annotations

from collections.abc import Callable

from PIL import Image

from ..dice import Dice
from ..painting_out import PaintedOut
from ..scene import Scene
from ..things import Painted
from . import indoors, outdoors
from .canvas import Color, Frame, Sheet, Tint
from .palette import PEOPLE, SURROUNDINGS, tint_of
from .people import paint_person
from .sky import paint_precipitation, paint_sky

_SMALL = 160  # pixels of height up to which a face needs the finer averaging

_OUTDOORS: dict[str, Callable[[Frame, Dice, float, bool, bool, bool], None]] = {
    "park": outdoors.paint_park,
    "street": outdoors.paint_street,
    "graveyard": outdoors.paint_graveyard,
}
_INDOORS: dict[str, Callable[[Frame, Dice, float, indoors.Window], None]] = {
    "kitchen": indoors.paint_kitchen,
    "office": indoors.paint_office,
    "party": indoors.paint_party,
}


_GREY_GROUND: Color = (150, 150, 150)
"""Ground where the place is painted out."""


def paint_scene(scene: Scene, out: PaintedOut | None = None) -> Image.Image:
    """Draw a scene: RGB, ``scene.size`` pixels, the same bytes every time.

    Args:
        scene: who and what.
        out: a cause that is painted out; all else is drawn from the same dice.
    """
    return _sheet(scene, out, noted=False).finish()


def paint_with_notes(scene: Scene, out: PaintedOut | None = None) -> Painted:
    """The same picture with a record of what is painted where; it takes about twice as long."""
    return _sheet(scene, out, noted=True).painted()


def _sheet(scene: Scene, out: PaintedOut | None, noted: bool) -> Sheet:
    shown = out.emptied(scene) if out else scene
    hidden = out.cause if out else ""
    sheet = Sheet(scene.size, oversample=3 if scene.size[1] <= _SMALL else 2, noted=noted)
    pixels = sheet.frame()
    _paint_surroundings(sheet, pixels, scene, hidden)
    people = pixels.lit(tint_of(PEOPLE, scene.light, hidden))
    place = "" if hidden == "place" else scene.place  # what people wear of it
    weather = "" if hidden in ("place", "weather") else scene.weather
    for index, person in sorted(enumerate(shown.people), key=lambda numbered: numbered[1].ground):
        faceless = out is not None and hidden == "face" and out.person == index
        paint_person(people, person, place, weather, index, readable=not faceless)
    return sheet


def _paint_surroundings(sheet: Sheet, pixels: Frame, scene: Scene, hidden: str) -> None:
    width, height = scene.size
    wide = width / height
    dice = Dice(*scene.paint_key)
    sky = pixels.inner(0, 0, height)
    tint = tint_of(SURROUNDINGS, scene.light, hidden)
    snowy, night = scene.weather == "snow" and hidden != "weather", scene.light == "night"
    ground = sky.lit(_dimmed(tint, scene.weather, hidden))
    weather, light, lamps = scene.weather, scene.light, hidden != "light"
    if hidden == "place":
        if scene.place in _INDOORS:
            indoors.window_of(dice, wide)  # its dice
        paint_sky(sheet, sky, dice, weather, light, (0, 0, wide, outdoors.HORIZON))
        ground.box(0, outdoors.HORIZON, wide, 1, outdoors.snowed(_GREY_GROUND, snowy))
        if scene.place in _OUTDOORS:
            _OUTDOORS[scene.place](ground.unseen(), dice, wide, snowy, night, lamps)
        paint_precipitation(sky, dice, weather, light, (0, 0, wide, 1))
    elif scene.place in _OUTDOORS:
        horizon = 0.36 if scene.place == "street" else outdoors.HORIZON  # houses hide the lower sky
        paint_sky(sheet, sky, dice, weather, light, (0, 0, wide, horizon), hidden)
        _OUTDOORS[scene.place](ground, dice, wide, snowy, night, lamps)
        paint_precipitation(sky, dice, weather, light, (0, 0, wide, 1), hidden)
    else:
        window = indoors.window_of(dice, wide)
        paint_sky(sheet, sky, dice, weather, light, window, hidden)
        paint_precipitation(sky, dice, weather, light, window, hidden)
        lamp_lit = ((1 + tint[0]) / 2, (1 + tint[1]) / 2, (1 + tint[2]) / 2)
        _INDOORS[scene.place](sky.lit(lamp_lit), dice, wide, window)


def _dimmed(tint: Tint, weather: str, hidden: str) -> Tint:
    """Clouds take light away; their mean where weather is hidden."""
    factors = {"clear": 1.0, "rain": 0.84, "storm": 0.78, "snow": 0.97}
    factor = sum(factors.values()) / len(factors) if hidden == "weather" else factors[weather]
    return tint[0] * factor, tint[1] * factor, tint[2] * factor
