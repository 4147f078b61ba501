"""A path as a user writes it and as a terminal shows it, what tells files apart, and where this project's own lie."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import dsct_detrex
from dsct_detrex.errors import UserError

_LONGEST_NAME, _LONGEST_PATH = 255, 4095
"""Bytes, on nearly every file system; the system would say so with an error of its own wherever it is asked."""


def user_path(text: str | Path) -> Path:
    """The path with ``~`` and ``~name`` expanded, as a shell would where it sees a path.

    Raises:
        UserError: no file can be called so: a zero byte, half a letter, or a name that is too long.
    """
    name = str(text)
    try:
        path = Path(os.path.expanduser(name)) if "\0" not in name else None
        longest = max((len(os.fsencode(part)) for part in path.parts), default=0) if path else 0
        if path is not None and longest <= _LONGEST_NAME and len(os.fsencode(path)) <= _LONGEST_PATH:
            return path
        reason = "it holds a zero byte" if path is None else f"a name has at most {_LONGEST_NAME} bytes"
    except UnicodeEncodeError:
        reason = "it holds half a letter"
    raise UserError(f"{shown(name[:60])}{'...' if len(name) > 60 else ''} is no path: {reason}.")


def expanded(value: str) -> str:
    """The same for text that may be a path: what does not begin with ``~`` stays as it is."""
    return os.path.expanduser(value) if value.startswith("~") else value


def shown(name: object) -> str:
    """A name in one line, in letters that this terminal can print."""
    text = "".join(letter if letter.isprintable() else "?" for letter in str(name))
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)


def spoken_path(path: Path) -> Path:
    """Relative to the working directory where that is shorter to read."""
    path = path.resolve()
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def sha256_of_file(path: Path) -> str:
    """Of its content, in hexadecimal: a name may stay when a file is replaced."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def config_folder() -> Path:
    """The folder ``configs/``: inside the package in a wheel, beside it in a source checkout."""
    return _own_folder("configs")


def projects_folder() -> Path:
    """The folder ``projects/``, likewise."""
    return _own_folder("projects")


def own_project_file(text: str) -> str:
    """A file that a config names below ``projects/``: the one of the working directory, else the one that comes with
    this project; any other text stays as it is."""
    folder, _, name = text.partition("/")
    if folder != "projects" or Path(text).exists() or not (projects_folder() / name).is_file():
        return text
    return str(spoken_path(projects_folder() / name))


def _own_folder(name: str) -> Path:
    package = Path(dsct_detrex.__file__).parent
    packaged = package / name
    return packaged if packaged.is_dir() else package.parent / name
