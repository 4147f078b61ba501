"""What lies in folders of pictures: pictures, and the other kinds by name, so that nothing is passed over unsaid."""

from __future__ import annotations

import re
import stat
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from PIL import Image

from dsct_detrex.data.images import can_read_heif
from dsct_detrex.paths import shown

_STILL = ".jpg .jpeg .jpe .jfif .mpo .png .apng .gif .bmp .dib .tif .tiff .webp .avif .jp2 .j2k .jpf .jpx"
_RARE = ".ppm .pgm .pbm .pnm .tga .qoi .pcx"
_VIDEO = ".mp4 .mov .m4v .mpg .mpeg .avi .mkv .webm .wmv .3gp .mts .m2ts .flv .ogv .vob .insv"
_RAW = ".dng .cr2 .cr3 .crw .nef .nrw .arw .sr2 .orf .rw2 .raf .pef .srw .raw .x3f .iiq"
_DOCUMENT = ".svg .eps .ps .pdf .ai .wmf .emf .psd .psb .xcf .ico .icns .cdr"

PICTURES: Final = frozenset(f"{_STILL} {_RARE}".split())
"""Suffixes of still pictures; of documents, plots, scientific data and videos, which Pillow lists too, none."""
VIDEOS: Final = frozenset(_VIDEO.split())
HEIF: Final = frozenset((".heic", ".heif", ".hif"))

_OTHERS: Final[Mapping[str, frozenset[str]]] = {
    "video": VIDEOS,
    "raw photo": frozenset(_RAW.split()),
    "drawing or document": frozenset(_DOCUMENT.split()),
}
_MAC_FOLDER: Final = "__MACOSX"
_SHOWN: Final = 3


class LeftOut:
    """What a search passed over: counted by kind, each with its suffixes or a first example."""

    def __init__(self) -> None:
        self._counts: defaultdict[str, int] = defaultdict(int)
        self._details: defaultdict[str, dict[str, None]] = defaultdict(dict)

    def add(self, kind: str, detail: str = "") -> None:
        """Count one of a kind.

        Args:
            kind: what it is, in the singular.
            detail: what to show in brackets: its suffix, its name, or a remedy.
        """
        self._counts[kind] += 1
        if detail:
            self._details[kind][detail] = None

    def __len__(self) -> int:
        return sum(self._counts.values())

    def sentence(self) -> str:
        """For example ``1 video (.mpg), 2 hidden files``; empty where nothing was left out."""
        return ", ".join(f"{count} {_plural(kind, count)}{self._bracket(kind)}" for kind, count in self._counts.items())

    def _bracket(self, kind: str) -> str:
        details = list(self._details[kind])
        more = ", ..." if len(details) > _SHOWN else ""
        return f" ({', '.join(details[:_SHOWN])}{more})" if details else ""


def is_hidden(name: str) -> bool:
    """Whether a file or folder is one that file managers do not show, or that macOS adds to archives."""
    return name.startswith(".") or name == _MAC_FOLDER


def what_else(path: Path) -> tuple[str, str] | None:
    """What a file is if not a picture: its kind and the detail to show; None for a picture.

    Only the name and the file's status are looked at; nothing is opened, so pipes and devices are safe.
    """
    if is_hidden(path.name):
        return "hidden file", ""
    suffix = path.suffix.lower()
    kind = next((kind for kind, suffixes in _OTHERS.items() if suffix in suffixes), None)
    if kind is not None:
        return kind, suffix
    if suffix not in PICTURES | HEIF:
        return "other file", suffix or "without suffix"
    return _unusable(path) or _undecodable(suffix)


def _unusable(path: Path) -> tuple[str, str] | None:
    try:
        status = path.stat()
    except OSError:
        return ("broken link" if path.is_symlink() else "file that cannot be looked at"), shown(path.name)
    if not stat.S_ISREG(status.st_mode):
        return "pipe or device", shown(path.name)
    return ("empty file", shown(path.name)) if status.st_size == 0 else None


def _undecodable(suffix: str) -> tuple[str, str] | None:
    if suffix in HEIF:
        return None if can_read_heif() else ("HEIC picture", "to read them: pip install pillow-heif")
    known = suffix == ".mpo" or suffix in Image.registered_extensions()
    return None if known else (f"{suffix[1:].upper()} picture", "this Pillow has no decoder for it")


def _plural(kind: str, count: int) -> str:
    """``results of an earlier run``, ``drawings or documents``: each noun before the first preposition."""
    if count == 1:
        return kind
    nouns, link, rest = re.fullmatch(r"(.+?)( of | to | that | in |$)(.*)", kind).groups()  # type: ignore[union-attr]
    return f"{nouns.replace(' or ', 's or ')}s{link}{rest}"
