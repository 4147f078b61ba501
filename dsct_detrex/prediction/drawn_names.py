"""Names of the drawn copies: the tree below the folder that was named and the suffix are kept, and no two are equal.

``photos/day1/a.jpg`` of the folder ``photos`` becomes ``day1/a.jpg``. Where pictures of several inputs would meet, all
names get as many of the folders above as part them: ``setA/a.jpg`` and ``setB/a.jpg``. Where that does not help
(``A.JPG`` beside ``a.jpg``, which are one file on Windows and macOS), later ones are numbered: ``a.2.jpg``. A kind of
picture that is not written (HEIC, GIF, ...) is drawn as ``a.heic.png``, a clip as MP4: ``a.mp4``, ``a.mov.mp4``.
"""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, count
from pathlib import Path, PurePath
from typing import Final

from dsct_detrex.prediction.pictures import Found
from dsct_detrex.prediction.saving import WRITABLE
from dsct_detrex.prediction.sources.contract import Clip

SUBFOLDER: Final = PurePath("predictions")
"""Where drawn copies go that would meet a file of the user's."""
VIDEO: Final = ".mp4"
_LONGEST = 255
"""Bytes of a file's name, on nearly every file system."""


def drawn_names(pictures: Sequence[Found]) -> list[PurePath]:
    """Paths of the drawn copies below the folder of the results, one per picture, in order."""
    deepest = max(len(_parents(found)) for found in pictures)
    best, fewest = _names(pictures, 0), len(pictures)
    for depth in range(deepest + 1):
        names = _names(pictures, depth)
        meetings = _meetings(names)
        if meetings < fewest:
            best, fewest = names, meetings
        if not meetings:
            break
    return list(_numbered(best))


class NamesInTurn:
    """Names of what is not known before: the path as it is given, below the folder of the results.

    Args:
        taken: names that are given already.
    """

    def __init__(self, taken: Iterable[PurePath]) -> None:
        self._taken = {_key(name) for name in taken}

    def name(self, found: Found, is_free: Callable[[PurePath], bool]) -> PurePath:
        """The next one.

        Args:
            is_free: whether nothing of the user's has a name.
        """
        parts = [part for part in found.path.parts if part not in (found.path.anchor, "..")]
        name = _writable(PurePath(*parts), found)
        options = chain((name, SUBFOLDER / name), (SUBFOLDER / option for option in _options(name)))
        free = next(option for option in options if _key(option) not in self._taken and is_free(option))
        self._taken.add(_key(free))
        return free


def _names(pictures: Sequence[Found], depth: int) -> list[PurePath]:
    return [_name(found, depth) for found in pictures]


def _name(found: Found, depth: int) -> PurePath:
    """The name with ``depth`` of the folders from the named one upwards."""
    above = _parents(found)[-depth:] if depth else ()
    return _writable(PurePath(*above, found.path.relative_to(found.root)), found)


def _parents(found: Found) -> tuple[str, ...]:
    """The folders down to the named one, without the root of the disk."""
    return Path(os.path.abspath(found.root)).parts[1:]


def _writable(name: PurePath, found: Found) -> PurePath:
    if isinstance(found, Clip):
        plain = name.name.replace(":", "-")  # of a camera
        name = name.with_name(plain if name.suffix.lower() == VIDEO else plain + VIDEO)
    elif name.suffix.lower() not in WRITABLE:
        name = name.with_name(name.name + ".png")
    if len(os.fsencode(name.name)) > _LONGEST:
        digest = hashlib.blake2b(os.fsencode(name.name), digest_size=8).hexdigest()
        name = name.with_name(f"{name.name[:40]}-{digest}{name.suffix}")
    return name


def _meetings(names: Sequence[PurePath]) -> int:
    """How many names are equal to an earlier one, or are a folder of another."""
    folders = {key for name in names for key in _folder_keys(name)}
    keys = [_key(name) for name in names]
    return len(keys) - len(set(keys)) + sum(key in folders for key in keys)


def _numbered(names: Sequence[PurePath]) -> Iterator[PurePath]:
    taken = {key for name in names for key in _folder_keys(name)}
    for name in names:
        free = next(option for option in _options(name) if _key(option) not in taken)
        taken.add(_key(free))
        yield free


def _options(name: PurePath) -> Iterator[PurePath]:
    yield name
    for number in count(2):
        yield name.with_name(f"{name.stem}.{number}{name.suffix}")


def _key(name: PurePath) -> str:
    """Equal for names that some file system takes for one."""
    return unicodedata.normalize("NFC", name.as_posix()).casefold()


def _folder_keys(name: PurePath) -> set[str]:
    return {_key(folder) for folder in name.parents if folder.name}
