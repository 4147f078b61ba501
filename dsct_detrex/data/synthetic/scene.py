"""Where everybody stands and how they look: the geometry of one image, computed without drawing a pixel.

People stand side by side in slots of equal width, larger when they are few, and closer people (larger) stand lower in
the picture, so heads never overlap and bodies hardly do. All lengths of a person are in units of the head height
``unit``; the person's frame has its origin at the centre of the head and y pointing down.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import table
from .dice import Dice
from .latents import Latents, SceneLatents, draw_latents

Box = tuple[float, float, float, float]

HEAD = (-0.48, -0.55, 0.48, 0.5)
"""Box of the head with its hair, xyxy, in the person's frame."""
HALF_BODY = 0.6
"""Half of the width of the body box, arms included, in units."""
HIPS = 1.25
"""Distance from the centre of the head down to the hips, in units; the legs follow."""

_UNIT_OVER_HEIGHT = ((0.28, 0.36), (0.26, 0.32), (0.23, 0.28), (0.20, 0.24), (0.18, 0.21))  # for 1..5 people
_SLOT_OVER_UNIT = 1.42  # a slot is at least this wide: shoulders, and a hand with something in it
_REACH = 1.0  # how far from the middle of a person their thing ends, in units
_AGES = (("Kid", 0.45, 22.0), ("Teenager", 0.65, 18.0), ("Adult", 0.8, 60.0))  # name, legs in units, percent


@dataclass(frozen=True)
class Look:
    """What distinguishes people and means nothing. Colours and styles are indices into ``drawing.palette``."""

    age: str
    gender: str
    skin: float
    hair_color: float
    hair_style: float
    top_color: float
    top_pattern: float
    bottom_color: float
    gaze: float
    wardrobe: float


@dataclass(frozen=True)
class Person:
    """One person of an image.

    Attributes:
        latents: what the person feels and shows.
        x, y: centre of the head, pixels.
        unit: head height, pixels.
        legs: length of the legs, in units.
        side: +1 holds things on the picture's right, -1 on its left.
        look: appearance.
    """

    latents: Latents
    x: float
    y: float
    unit: float
    legs: float
    side: int
    look: Look

    @property
    def ground(self) -> float:
        """Height of the soles, pixels; may lie below the picture."""
        return self.y + (HIPS + self.legs) * self.unit

    def head_box(self) -> Box:
        """Box of the head with its hair, xyxy pixels."""
        x0, y0, x1, y1 = HEAD
        return self.x + x0 * self.unit, self.y + y0 * self.unit, self.x + x1 * self.unit, self.y + y1 * self.unit

    def body_box(self) -> Box:
        """Box from the hair to the soles and from hand to hand, xyxy pixels; may leave the picture."""
        half = HALF_BODY * self.unit
        return self.x - half, self.y + HEAD[1] * self.unit, self.x + half, self.ground


@dataclass(frozen=True)
class Scene:
    """One image before it is drawn.

    Attributes:
        size: (width, height), pixels.
        latents: the scene's index and its people's latents.
        people: left to right.
        paint_key: the key of the dice for scenery details.
    """

    size: tuple[int, int]
    latents: SceneLatents
    people: tuple[Person, ...]
    paint_key: tuple[int | str, ...]

    @property
    def place(self) -> str:
        return table.SCENES[self.latents.scene][0]

    @property
    def weather(self) -> str:
        return table.SCENES[self.latents.scene][1]

    @property
    def light(self) -> str:
        return table.SCENES[self.latents.scene][2]


def draw_scene(key: tuple[int | str, ...], size: tuple[int, int], max_people: int) -> Scene:
    """The scene with this key. What it means does not depend on ``size``; where things are does.

    Args:
        key: names the scene, e.g. (seed, split, index).
        size: (width, height), pixels.
        max_people: 1..5.
    """
    latents = draw_latents(Dice(*key, "latents"), max_people)
    return Scene(size, latents, _place_people(Dice(*key, "people"), latents, size), (*key, "paint"))


def _place_people(dice: Dice, latents: SceneLatents, size: tuple[int, int]) -> tuple[Person, ...]:
    width, height = size
    slot = width / len(latents.people)
    low, high = _UNIT_OVER_HEIGHT[len(latents.people) - 1]
    people = []
    for i, person in enumerate(latents.people):
        unit = min(dice.between(low, high) * height, slot / _SLOT_OVER_UNIT)
        age, legs, _ = _AGES[dice.index([percent for _, _, percent in _AGES])]
        # Perspective: a head of 18 % of the picture stands at 0.9 of its height, one of 36 % below its lower edge.
        ground = height * (0.9 + 1.1 * (unit / height - 0.18) + dice.between(-0.015, 0.015))
        slack = max(0.0, slot / 2 - 0.9 * unit) * 0.7
        x = (i + 0.5) * slot + dice.between(-1, 1) * slack
        side = _free_side(x, unit, width, 1 if dice.chance(0.5) else -1)
        people.append(Person(person, x, ground - (HIPS + legs) * unit, unit, legs, side, _draw_look(dice, age)))
    return tuple(people)


def _free_side(x: float, unit: float, width: int, wanted: int) -> int:
    """The side on which a held thing stays in the picture: the wanted one unless only the other one has room."""
    room = {-1: x > _REACH * unit, 1: width - x > _REACH * unit}
    return wanted if room[wanted] or not room[-wanted] else -wanted


def _draw_look(dice: Dice, age: str) -> Look:
    gender = dice.pick(("Female", "Male"))
    return Look(age, gender, *(dice.roll() for _ in range(8)))
