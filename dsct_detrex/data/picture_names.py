"""Finding a picture whose name another system wrote: other case, other accents, ``%20``, backslashes.

Every folder is listed once and a name is looked up in that list: exactly as written first, then folded. A folded name
that fits two files fits none: nothing is guessed.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from urllib.parse import unquote


@dataclass
class _Folder:
    names: set[str]
    folded: dict[str, list[str]] = field(default_factory=dict)


class PictureNames:
    """Looks names up in folders, remembering what the folders hold."""

    def __init__(self) -> None:
        self._folders: dict[Path, _Folder] = {}

    def exact(self, root: Path, parts: Sequence[str]) -> Path | None:
        """``root/parts`` if that file is there in exactly this spelling."""
        path = root.joinpath(*parts)
        return path if path.name in self._folder(path.parent).names else None

    def alike(self, root: Path, parts: Sequence[str]) -> Path | None:
        """The one file whose name, part by part, is the same but for case, accents' form and percent signs."""
        path = root
        for part in parts:
            folder = self._folder(path)
            spelt = next((name for name in (part, unquote(part)) if name in folder.names), None)
            if spelt is None:
                found = folder.folded.get(_folded(part)) or folder.folded.get(_folded(unquote(part))) or []
                if len(found) != 1:
                    return None
                spelt = found[0]
            path = path / spelt
        return path

    def listed(self, folder: Path) -> list[str]:
        """The names in a folder; none where it is not there."""
        return sorted(self._folder(folder).names)

    def _folder(self, path: Path) -> _Folder:
        if path not in self._folders:
            folder = _Folder(set(os.listdir(path)) if os.path.isdir(path) else set())
            for name in sorted(folder.names):
                folder.folded.setdefault(_folded(name), []).append(name)
            self._folders[path] = folder
        return self._folders[path]


def parts_of(name: str) -> tuple[str, ...]:
    """The parts of a path of any system without ``.``: ``./a\\\\b.jpg`` and ``a/b.jpg`` are ``("a", "b.jpg")``."""
    return tuple(part for part in PurePosixPath(name.strip().replace("\\", "/")).parts if part != ".")


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
