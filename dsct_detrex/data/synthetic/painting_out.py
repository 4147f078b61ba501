"""Scenes with one of their causes painted out; all else is drawn from the same dice.

What each cause leaves behind is chosen so that the picture says nothing about it any more:

* ``object``: the person holds nothing, and the arms hang as the posture has them. One person in four holds nothing
  whatever they feel, so empty hands are no evidence.
* ``face``: dark glasses and a mask over brows, eyes, nose and mouth. Posture repeats the face, so arms that hold
  nothing are behind the back. (An empty head would be found less often by a model that learnt from faces.)
* ``place``: no landmark and no room: the sky of the same weather and light down to a horizon, grey ground below it,
  snow on it where it snows. Hats and scarves go, which only some places have. Where a room was, the sky is seen whole.
* ``weather``: no clouds, lightning, rain or snow; the sky's colour is the mean of the four weathers' under that light,
  the ground is bare, and what the clouds took of the light is the mean, too. Sun, moon and stars go, for they show in
  some weathers only, and so do woolly hats and scarves. Bare ground lies under three weathers of four, so a hint
  against snow stays.
* ``light``: no sun, moon or stars, dark windows; the sky's colours are the mean of the three lights' under that
  weather, and so are the tints of scenery and people.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from . import table
from .scene import Scene

Cause = Literal["object", "face", "place", "weather", "light"]
OF_A_PERSON: tuple[Cause, ...] = ("object", "face")
OF_THE_SCENE: tuple[Cause, ...] = ("place", "weather", "light")
"""In the order of the parts of ``table.SCENES``."""
_EMPTY_HANDS = table.OBJECTS.index("nothing")


@dataclass(frozen=True)
class PaintedOut:
    """What a picture shows no more.

    Attributes:
        cause: which.
        person: index of the person in ``Scene.people`` whose object or face it is; None for a part of the scene.

    Raises:
        ValueError: a cause of a person without one, or the other way round.
    """

    cause: Cause
    person: int | None = None

    def __post_init__(self) -> None:
        if (self.person is not None) != (self.cause in OF_A_PERSON):
            raise ValueError(
                f"PaintedOut({self.cause!r}, person=) expects "
                f"{'a person' if self.cause in OF_A_PERSON else 'None'}. Got {self.person!r}."
            )

    def emptied(self, scene: Scene) -> Scene:
        """The scene with empty hands where the object is painted out; else the scene."""
        if self.cause != "object":
            return scene
        people = list(scene.people)
        assert self.person is not None
        owner = people[self.person]
        people[self.person] = replace(owner, latents=replace(owner.latents, thing=_EMPTY_HANDS))
        latents = replace(scene.latents, people=tuple(person.latents for person in people))
        return replace(scene, people=tuple(people), latents=latents)


def ways(scene: Scene) -> list[PaintedOut]:
    """Every cause of a scene that can be painted out; empty hands hold nothing to paint out."""
    people = range(len(scene.people))
    holding = [index for index in people if scene.people[index].latents.thing != _EMPTY_HANDS]
    return [
        *(PaintedOut("object", index) for index in holding),
        *(PaintedOut("face", index) for index in people),
        *(PaintedOut(cause) for cause in OF_THE_SCENE),
    ]
