"""What a figure is made of, and what it is: the contract of the files in ``kinds``.

A file there says in its first line what it shows, and has one function::

    def draw(material: Material) -> Iterator[Drawing]

It raises ``Absent`` where the notion does not exist for the model at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from dsct_detrex.figures.looking import Looking
from dsct_detrex.figures.samples import Sample, Samples


class Absent(Exception):
    """A figure that does not exist for a model; the message is the sentence that says why."""


@dataclass(frozen=True)
class Drawing:
    """One picture to write.

    Attributes:
        name: of its file, without suffix.
        paint: fills an empty matplotlib figure.
        inches: (width, height).
        shows: what is to be seen, in a sentence or two.
        pictures: names of the pictures it stands on; of many, how many and whose.
    """

    name: str
    paint: Callable[[Any], None]
    inches: tuple[float, float]
    shows: str
    pictures: Sequence[str] = ()


@dataclass(frozen=True)
class Material:
    """What figures are made of.

    Attributes:
        model: that they are about.
        beside: what it is compared with, where asked for.
        folder: of the checkpoint, where a training leaves its ``metrics.jsonl``.
        folder_beside: likewise.
        samples: all pictures that there are.
        images: how many of them are drawn, from the first.
        people: how many of a picture's people are drawn, the surest first.
        many: how many pictures stand behind a figure of a whole data set.
    """

    model: Looking
    beside: Looking | None
    folder: Path
    folder_beside: Path | None
    samples: Samples
    images: int
    people: int
    many: int

    def drawn(self) -> Iterator[tuple[int, Sample]]:
        """The pictures to draw, numbered from 1."""
        for index in range(min(self.images, len(self.samples))):
            yield index + 1, self.samples.sample(index)


class Kind(Protocol):
    """A file of ``kinds``."""

    __name__: str
    __doc__: str | None

    def draw(self, material: Material) -> Iterator[Drawing]:
        """The pictures of this figure.

        Raises:
            Absent: it does not exist for the model; says why.
        """
