"""What a context query lies on, for one person: eight groups, of which every point of a picture is in exactly one.

A context counts by the point it refers to; where it refers to a box, by the centre of that. It lies on what can be seen
there: what is hidden behind somebody does not count, and neither does the gap between two legs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dsct_detrex.data.synthetic import Painted, Thing

GROUPS = (
    "own object",
    "others' objects",
    "own face and body",
    "other people",
    "place",
    "weather",
    "light",
    "nothing",
)
"""``place``, ``weather``, ``light``: landmarks that tell it, see ``data.synthetic.things``; ``nothing``: plain sky,
ground, road, wall and floor."""
NOTHING_GROUP = GROUPS.index("nothing")


def groups_at(painted: Painted, points: npt.NDArray[np.floating], person: int) -> npt.NDArray[np.int64]:
    """What each point lies on.

    Args:
        painted: the picture with its record.
        points: (M, 2) xy in [0, 1] of the picture.
        person: index of the person in the scene who asks.

    Returns:
        (M,) indices into ``GROUPS``.
    """
    of_things = np.array([*groups_of(painted.things, person), NOTHING_GROUP])  # index -1 is no thing
    return of_things[painted.at(points)]


def groups_of(things: Sequence[Thing], person: int) -> list[int]:
    """Index into ``GROUPS`` of each thing, for one person."""
    return [GROUPS.index(_group(thing, person)) for thing in things]


def _group(thing: Thing, person: int) -> str:
    own = thing.owner == person
    match thing.kind:
        case "object":
            return "own object" if own else "others' objects"
        case "person":
            return "own face and body" if own else "other people"
        case _:  # hats and scarves, too, tell of the scene
            return thing.kind
