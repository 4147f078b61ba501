"""Draws scenes, people and annotations from the table: everything about an image that a label can depend on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from . import table
from .dice import Dice

PEOPLE_PERCENT = (34.0, 28.0, 18.0, 12.0, 8.0)
"""Images with 1, 2, ... 5 people; cut off and rescaled for a smaller ``max_people``."""


@dataclass(frozen=True)
class Latents:
    """What one person feels and shows; indices into the table's names.

    Attributes:
        emotion: into ``table.EMOTIONS``; hidden.
        expression: into ``table.EXPRESSIONS``; drawn as the face and the posture.
        thing: into ``table.OBJECTS``; drawn in or near the hands.
    """

    emotion: int
    expression: int
    thing: int


@dataclass(frozen=True)
class SceneLatents:
    """The index of the scene in ``table.SCENES``, and its people."""

    scene: int
    people: tuple[Latents, ...]


@cache
def _weights(name: str) -> list[list[float]]:
    """Rows of a probability table as lists, which ``Dice.index`` walks faster than arrays."""
    tables = {
        "scene": table.scene_probability()[None],
        "emotion": table.emotion_given_scene(),
        "expression": table.expression_given_emotion(),
        "thing": table.object_given_emotion(),
        "label": table.caer_s_label_given_emotion(),
    }
    return [list(map(float, row)) for row in tables[name]]


def draw_latents(dice: Dice, max_people: int) -> SceneLatents:
    """One image's scene and one to ``max_people`` people (at most 5)."""
    scene = dice.index(_weights("scene")[0])
    count = 1 + dice.index(PEOPLE_PERCENT[:max_people])
    return SceneLatents(scene, tuple(_draw_person(dice, scene) for _ in range(count)))


def _draw_person(dice: Dice, scene: int) -> Latents:
    emotion = dice.index(_weights("emotion")[scene])
    return Latents(emotion, dice.index(_weights("expression")[emotion]), dice.index(_weights("thing")[emotion]))


def draw_caer_s_label(dice: Dice, person: Latents) -> int:
    """The annotated class, an index into the seven CAER-S names."""
    return dice.index(_weights("label")[person.emotion])


def draw_emotic_labels(dice: Dice, scene: int, person: Latents) -> list[int]:
    """The annotated categories, at least one, ascending indices into the 26 EMOTIC names."""
    coins = table.emotic_coins()[scene, person.emotion, person.thing]
    while True:
        lit = [int(c) for c in np.flatnonzero([dice.roll() < coin for coin in coins])]
        if lit:
            return lit
