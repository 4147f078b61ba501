"""Synthetic scenes as a data set: an endless supply of pictures that needs no download and no disk.

Image ``index`` of a split is a function of (seed, split, index) alone. Both annotation formats describe the same
pictures, and ``record`` works out where everybody is and what they are labelled without drawing.
"""

from __future__ import annotations

from typing import Any

from PIL import Image

from dsct_detrex.counting import counted
from dsct_detrex.data.dataset import SPLITS, Annotation, Record
from dsct_detrex.errors import UserError
from dsct_detrex.structures import Emotions, get_emotions

from . import table
from .bounds import Format
from .dice import Dice
from .drawing import paint_scene, paint_with_notes
from .latents import PEOPLE_PERCENT, draw_caer_s_label, draw_emotic_labels
from .painting_out import PaintedOut
from .scene import Box, Person, Scene, draw_scene
from .things import Painted, Thing, thing_annotations

DEFAULT_SIZE = (192, 144)
FORMATS: tuple[Format, ...] = ("caer_s", "emotic")
"""Label sets that the table of the scenes has causes for."""
SMALLEST_SIDE = 32


class SyntheticScenes:
    """One split of the synthetic scenes; see ``table`` for what is in them and ``bounds`` for what can be reached.

    Args:
        format: ``"caer_s"`` (one of 7 emotions) or ``"emotic"`` (some of 26); the pictures are the same.
        split: ``train``, ``val`` or ``test``; their scenes are unrelated.
        length: number of images; a longer data set starts with the images of a shorter one.
        seed: another seed, other scenes; not negative.
        size: (width, height) of the pictures, pixels.
        max_people: at most so many people per image, 1 to 5.
        boxes: ``"head"`` or ``"body"``, what ``bbox`` frames.
        objects: whether a record has its things too; to know them is to paint, once for record and picture.

    Raises:
        UserError: an argument outside these ranges.
    """

    def __init__(
        self,
        format: str = "caer_s",
        split: str = "train",
        length: int = 1000,
        seed: int = 0,
        size: tuple[int, int] = DEFAULT_SIZE,
        max_people: int = len(PEOPLE_PERCENT),
        boxes: str = "head",
        objects: bool = False,
    ) -> None:
        _check("format", format, format in FORMATS, " or ".join(map(repr, FORMATS)))
        _check("split", split, split in SPLITS, f"one of {', '.join(SPLITS)}")
        _check("length", length, length >= 1, "a number of at least 1")
        _check("seed", seed, seed >= 0, "a number of at least 0")
        _check("size", size, len(size) == 2 and min(size) >= SMALLEST_SIDE, f"(width, height), each >= {SMALLEST_SIDE}")
        _check("max_people", max_people, 1 <= max_people <= len(PEOPLE_PERCENT), f"1 to {len(PEOPLE_PERCENT)}")
        _check("boxes", boxes, boxes in ("head", "body"), "'head' or 'body'")
        self._emotions = get_emotions(format)
        self._format, self._split, self._seed, self._boxes = format, split, seed, boxes
        self._length, self._max_people, self._objects = length, max_people, objects
        self._size = (int(size[0]), int(size[1]))
        self._latest: tuple[int, Scene] | None = None
        self._latest_painted: tuple[int, Painted] | None = None

    @property
    def emotions(self) -> Emotions:
        return self._emotions

    @property
    def name(self) -> str:
        return f"synthetic_{self._format}_{self._split}"

    @property
    def split(self) -> str:
        return self._split

    @property
    def boxes(self) -> str:
        """``"head"`` or ``"body"``."""
        return self._boxes

    @property
    def description(self) -> str:
        """What is drawn, in one line for results."""
        width, height = self._size
        return (
            f"{self.name}: {counted(self._length, 'drawn scene')} of {width} x {height} pixels, "
            f"up to {counted(self._max_people, 'person')}, {self._boxes} boxes, seed {self._seed}"
        )

    def __len__(self) -> int:
        return self._length

    def scene(self, index: int) -> Scene:
        """Image ``index`` before it is drawn.

        Raises:
            IndexError: outside [0, length).
        """
        if not 0 <= index < self._length:
            raise IndexError(f"{self.name} of {self._length} images has no image {index}.")
        latest = self._latest
        if latest is None or latest[0] != index:  # a record is asked for, then its picture
            latest = self._latest = index, draw_scene((self._seed, self._split, index), self._size, self._max_people)
        return latest[1]

    def record(self, index: int) -> Record:
        """What is known about image ``index``; draws nothing, unless ``objects`` are asked for.

        ``extra`` of a person: ``cues`` (place, weather, light, emotion, expression, object: names of the table),
        ``head`` and ``body`` (both boxes, whichever is ``bbox``), ``gender`` and ``age``.
        """
        scene = self.scene(index)
        people = self._annotations(scene, Dice(self._seed, self._split, index, "labels", self._format))
        record: Record = {**self._frame(index), "annotations": people}
        if self._objects:
            record["objects"] = thing_annotations(self._noted(index).things)
        return record

    def _frame(self, index: int) -> Record:
        """A record of which nobody is known yet."""
        return {
            "file_name": f"synthetic/{self._format}/{self._split}/{index:06d}.png",
            "image_id": index + 1,
            "height": self._size[1],
            "width": self._size[0],
            "annotations": [],
        }

    @property
    def most_counted(self) -> int:
        """Scenes up to which a headline counts what is in them."""
        return 1_000 if self._objects else 10_000

    def load_image(self, index: int) -> Image.Image:
        if self._latest_painted is not None and self._latest_painted[0] == index:
            return self._latest_painted[1].image
        return paint_scene(self.scene(index))

    def _noted(self, index: int) -> Painted:
        """``painted``, kept for whoever asks for the picture next."""
        painted = self.painted(index)
        self._latest_painted = index, painted
        return painted

    def painted(self, index: int) -> Painted:
        """The same picture with the record of what is painted where."""
        return paint_with_notes(self.scene(index))

    def things(self, index: int) -> list[Thing]:
        """Everything that can be seen in image ``index``: its kind, name and box, and whose it is."""
        return list(self.painted(index).things)

    def load_without(self, index: int, out: PaintedOut) -> Image.Image:
        """The picture of image ``index`` with one of its causes painted out, all else from the same dice."""
        return paint_scene(self.scene(index), out)

    def _annotations(self, scene: Scene, dice: Dice) -> list[Annotation]:
        people = []
        for person in scene.people:
            if self._format == "caer_s":
                labels = [draw_caer_s_label(dice, person.latents)]
            else:
                labels = draw_emotic_labels(dice, scene.latents.scene, person.latents)
            extra = _extra(scene, person)
            people.append(Annotation(bbox=extra[self._boxes], labels=labels, extra=extra))
        return people


def _extra(scene: Scene, person: Person) -> dict[str, Any]:
    latents = person.latents
    return {
        "cues": {
            "place": scene.place,
            "weather": scene.weather,
            "light": scene.light,
            "emotion": table.EMOTIONS[latents.emotion],
            "expression": table.EXPRESSIONS[latents.expression],
            "object": table.OBJECTS[latents.thing],
        },
        "head": _inside(person.head_box(), scene.size),
        "body": _inside(person.body_box(), scene.size),
        "gender": person.look.gender,
        "age": person.look.age,
    }


def _inside(box: Box, size: tuple[int, int]) -> list[float]:
    """The part of a box (xyxy, pixels) that is in the picture."""
    width, height = size
    x0, y0, x1, y1 = box
    return [max(0.0, x0), max(0.0, y0), min(float(width), x1), min(float(height), y1)]


def _check(name: str, value: object, holds: bool, expected: str) -> None:
    if not holds:
        raise UserError(f"SyntheticScenes({name}=) expects {expected}. Got {value!r}.")
