"""Paths as text: one a line, or each ended by a NUL (``find -print0``), of any bytes but those.

Relative paths are those of the working directory, wherever the text came from. Blank lines and the carriage returns of
Windows are no names. Whether a named file is there shows when it is read: one that is missing costs its own row alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO

from dsct_detrex.errors import UserError
from dsct_detrex.paths import shown, user_path
from dsct_detrex.prediction.pictures import Found, pictures_of
from dsct_detrex.prediction.sources.contract import Search, Unit
from dsct_detrex.prediction.sources.video import VideoFile, is_video

_PART = 1 << 16
_UTF8_MARK, _UTF16_MARKS = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")


def listed_units(file: BinaryIO, called: str, search: Search) -> Iterator[Unit]:
    """The picture or video of every path, or the pictures of a folder, as soon as its line is there.

    Args:
        called: the list, in messages.

    Raises:
        UserError: it names nothing, or is UTF-16.
    """
    number = 0
    for number, name in enumerate(_names(file, called), 1):  # noqa: B007
        path = user_path(name)
        if path.is_dir():
            yield from pictures_of(name, search.left_out, search.recursive)
        else:
            yield VideoFile(path, path.parent) if is_video(path) else Found(path, path.parent)
    if not number:
        raise UserError(f"predict: {called} names no picture; it should have a path a line.")


def _names(file: BinaryIO, called: str) -> Iterator[str]:
    rest, end = b"", b""
    while part := _read(file):
        if not end:
            if part.startswith(_UTF16_MARKS):
                raise UserError(f"predict: {called} is UTF-16; save it as UTF-8.")
            part = part.removeprefix(_UTF8_MARK)
            end = b"\0" if b"\0" in part else b"\n"
        *whole, rest = (rest + part).split(end)
        yield from _decoded(whole, end)
    yield from _decoded([rest], end)


def _read(file: BinaryIO) -> bytes:
    """What is there by now, so that a live pipe is not waited for until its end."""
    read: bytes = file.read1(_PART) if hasattr(file, "read1") else file.read(_PART)
    return read


def _decoded(names: list[bytes], end: bytes) -> Iterator[str]:
    for name in names:
        name = name if end == b"\0" else name.rstrip(b"\r")
        if name.strip():
            yield os.fsdecode(name)


def spoken_list(word: str) -> str:
    """How messages call a list file."""
    return f"the list {shown(word)}"
