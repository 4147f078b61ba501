"""A whole person in the person's frame: body, hair, face, posture, and the thing they hold.

The posture repeats the expression (a scowl comes with hands on the hips, tears with hanging arms), so the body shows
what the face shows and no more.
"""

from __future__ import annotations

from .. import table
from ..scene import HIPS, Person
from .canvas import Color, Frame, Point, mix, shade
from .faces import cover_face, paint_face
from .hair import STYLES, paint_hair_before, paint_hair_behind, paint_hat
from .objects import paint_thing
from .palette import BOTTOMS, FESTIVE, HAIRS, INK, SKINS, TOPS, WHITE, choose

_SHOULDER: Point = (0.33, 0.68)
_ARMS: dict[str, tuple[Point, Point]] = {  # elbow and hand of the arm on the right; the left one mirrors it
    "scowl": ((0.62, 0.96), (0.34, 1.14)),
    "grimace": ((0.52, 0.98), (0.54, 0.62)),
    "gape": ((0.53, 0.9), (0.4, 0.42)),
    "tears": ((0.38, 0.98), (0.3, 1.3)),
    "smile": ((0.56, 0.62), (0.57, 0.24)),
    "flat": ((0.45, 0.98), (0.45, 1.28)),
}
_HOLDING: Point = (0.47, 1.0)
"""Elbow of an arm that holds something."""

_HANDS: dict[str, tuple[Point, ...]] = {  # the hands that hold: one (the right one) or both (right, left)
    "broken cup": ((0.28, 1.02),),
    "alarm clock": ((0.42, 1.07),),
    "rotten fish": ((0.38, 1.12),),
    "spider": (),
    "wilted flower": ((0.36, 1.02),),
    "book": ((0.47, 0.98), (-0.15, 0.98)),
    "phone": ((0.42, 1.04),),
    "ice cream": ((0.44, 1.06),),
    "balloon": ((0.5, 0.8),),
    "gift": ((0.5, 1.04), (-0.12, 1.04)),
    "jack-in-the-box": ((0.54, 1.14), (-0.04, 1.14)),
    "trophy": ((0.42, 1.06),),
    "nothing": (),
}


def paint_person(
    sheet: Frame, person: Person, place: str, weather: str, owner: int | None = None, readable: bool = True
) -> None:
    """Draw one person.

    Args:
        sheet: frame in pixels of the final picture, already lit.
        person: who, where, what.
        place, weather: for hats and scarves.
        owner: the person's index in the scene, for the notes.
        readable: False covers the face and paints out the posture (``painting_out``).
    """
    look, latents = person.look, person.latents
    expression, thing = table.EXPRESSIONS[latents.expression], table.OBJECTS[latents.thing]
    skin, hair, style = _complexion(person)
    figure = sheet.inner(person.x, person.y, person.unit, mirror=person.side < 0)
    head, body = figure.thing("person", "head", owner), figure.thing("person", "body", owner)
    paint_hair_behind(head, style, shade(hair, 0.82))
    _paint_legs(body, person.legs, choose(BOTTOMS, look.bottom_color), skin, look.age)
    _paint_torso(body, choose(TOPS, look.top_color), look.top_pattern, skin)
    if weather == "snow" and place in ("park", "street", "graveyard"):
        scarf, color = figure.thing("weather", "scarf", owner), choose(FESTIVE, look.wardrobe)
        scarf.line(((-0.24, 0.57), (0.0, 0.62), (0.24, 0.57)), 0.15, color)
        scarf.line(((-0.14, 0.62), (-0.17, 0.92)), 0.13, shade(color, 0.85))
    paint_head(head, person, readable)
    paint_hat(figure, place, weather, look.wardrobe, owner)
    held = figure.thing("object", thing, owner)
    _paint_arms(body, held, expression if readable else None, thing, choose(TOPS, look.top_color), skin)


def paint_head(body: Frame, person: Person, readable: bool = True) -> None:
    """The head alone, without what is behind it or on it: skull, ears, fringe, face if it is ``readable``."""
    skin, hair, style = _complexion(person)
    edge = shade(skin, 0.78)
    for side in (-1, 1):
        body.disc(side * 0.425, 0.05, 0.06, 0.085, edge)
    body.disc(0, 0, 0.44, 0.49, edge)
    body.disc(0, 0, 0.42, 0.47, skin)
    paint_hair_before(body, style, hair)
    if readable:
        paint_face(body, table.EXPRESSIONS[person.latents.expression], person.look.gaze * 2 - 1, skin, hair)
    else:
        cover_face(body)


def _complexion(person: Person) -> tuple[Color, Color, str]:
    look = person.look
    return choose(SKINS, look.skin), choose(HAIRS, look.hair_color), choose(STYLES[look.gender], look.hair_style)


def _paint_legs(body: Frame, legs: float, color: Color, skin: Color, age: str) -> None:
    soles = HIPS + legs
    for side in (-1, 1):
        knee = HIPS + legs * 0.5
        body.line(((side * 0.15, HIPS), (side * 0.16, soles - 0.08)), 0.2, skin if age == "Kid" else color, False)
        body.line(((side * 0.15, HIPS - 0.05), (side * 0.155, knee)), 0.25, color, False)
        body.disc(side * 0.19, soles - 0.05, 0.16, 0.075, INK)


def _paint_torso(body: Frame, color: Color, pattern: float, skin: Color) -> None:
    body.box(-0.12, 0.4, 0.12, 0.62, shade(skin, 0.85))
    outline = ((-0.14, 0.54), (0.14, 0.54), (0.38, 0.64), (0.33, 1.34), (-0.33, 1.34), (-0.38, 0.64))
    body.polygon(outline, color)
    light = mix(color, WHITE, 0.45)
    if pattern < 0.25:
        for y in (0.78, 0.98, 1.18):
            body.line(((-0.355 + (y - 0.64) * 0.07, y), (0.355 - (y - 0.64) * 0.07, y)), 0.075, light, False)
    elif pattern < 0.4:
        for x, y in ((-0.18, 0.8), (0.08, 0.76), (-0.04, 0.98), (0.2, 1.0), (-0.2, 1.16), (0.1, 1.2)):
            body.disc(x, y, 0.05, 0.05, light)
    elif pattern < 0.55:
        body.polygon(((-0.14, 0.54), (0.14, 0.54), (0.0, 0.74)), WHITE)
        body.line(((0.0, 0.7), (0.0, 1.3)), 0.035, shade(color, 0.75), False)
    body.disc(0, 0.53, 0.13, 0.07, shade(skin, 0.85))


def _paint_arms(body: Frame, held: Frame, expression: str | None, thing: str, sleeve: Color, skin: Color) -> None:
    """Arms and, in its own frame, what they hold; without an ``expression``, idle arms are behind the back."""
    holding = _HANDS[thing]
    if expression is not None:
        elbow, hand = _ARMS[expression]
        for side in (-1, 1)[: 2 - len(holding)]:
            _paint_arm(body, side, elbow, hand, sleeve, skin)
    if len(holding) == 2:
        _paint_arm(body, -1, _HOLDING, (-holding[1][0], holding[1][1]), sleeve, skin)
    if holding:
        _paint_arm(body, 1, _HOLDING, holding[0], sleeve, skin, with_hand=False)
    paint_thing(held, thing)
    for x, y in holding:
        body.disc(x, y, 0.095, 0.09, shade(skin, 0.85))
        body.disc(x, y, 0.08, 0.075, skin)


def _paint_arm(
    body: Frame, side: int, elbow: Point, hand: Point, sleeve: Color, skin: Color, with_hand: bool = True
) -> None:
    shoulder, bent, tip = ((side * x, y) for x, y in (_SHOULDER, elbow, hand))
    body.line((shoulder, bent), 0.19, shade(sleeve, 0.84))
    body.line((bent, tip), 0.125, shade(skin, 0.9))
    if with_hand:
        body.disc(*tip, 0.095, 0.09, shade(skin, 0.82))
        body.disc(*tip, 0.08, 0.075, skin)
