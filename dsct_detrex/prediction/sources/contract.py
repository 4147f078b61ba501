"""What a source is: a word of the command line that becomes units of work, one after the other.

A unit is a picture file (``Found``) or a ``Clip``, whose frames follow each other in time. A further kind of source is
a module in ``sources/kinds/`` with what ``Source`` lists; nothing else has to know of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from fractions import Fraction
from typing import ClassVar, Protocol

from dsct_detrex.data.images import Photo
from dsct_detrex.prediction.kinds import LeftOut
from dsct_detrex.prediction.pictures import Found


@dataclass(frozen=True)
class Frame:
    """One picture of a clip.

    Attributes:
        number: from 0, of all frames of the clip, taken or not.
        seconds: since the first frame.
        photo: its pixels, upright.
    """

    number: int
    seconds: float
    photo: Photo


class Footage(Protocol):
    """An open clip.

    Attributes:
        rate: frames a second, on average.
        total: how many frames there are, where that is said.
    """

    @property
    def rate(self) -> Fraction: ...
    @property
    def total(self) -> int | None: ...

    def frames(self, stride: int) -> Iterator[Frame]:
        """Every ``stride``-th frame, decoded as it is asked for.

        Raises:
            ImageError: after the last good frame, where the clip ends before its end or was broken in between.
        """
        ...


class Clip(Found):
    """Pictures that follow each other in time; its path is how rows call it.

    Attributes:
        endless: it goes on until somebody ends it, which is no interruption.
    """

    endless: ClassVar[bool] = False

    def open(self) -> AbstractContextManager[Footage]:
        """Begin to read.

        Raises:
            ImageError: it cannot be decoded.
            UserError: a package is missing.
        """
        raise NotImplementedError


Unit = Found
"""A picture, or a clip."""


@dataclass
class Search:
    """How words are searched, and what they name besides.

    Attributes:
        recursive: whether folders inside a named folder are searched.
        left_out: counts what is passed over.
    """

    recursive: bool = False
    left_out: LeftOut = field(default_factory=LeftOut)


class Source(Protocol):
    """A module of ``sources/kinds``.

    Attributes:
        ORDER: kinds are asked in this order whether a word is theirs.
        LIVE: units come while others are worked on, so their number is not known before, and no two processes see the
            same ones.
    """

    ORDER: int
    LIVE: bool

    def recognises(self, word: str) -> bool:
        """Whether a word of the command line names a source of this kind."""
        ...

    def units(self, word: str, search: Search) -> Iterator[Unit]:
        """What it names, in order.

        Raises:
            UserError: there is nothing of that name, or in it.
        """
        ...
