"""Files that are either the old version or the complete new one, whatever happens while they are written.

What is being written lies beside its place under a hidden name that tells which process writes. It reaches the disk,
takes its place in one step, and then the folder, which knows the names, reaches the disk. A process that is killed
leaves the old version, and its hidden file, which the next process that writes into the folder removes.
"""

from __future__ import annotations

import errno
import functools
import itertools
import os
import platform
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

UNFINISHED: Final = ".dsct_unfinished"
"""How the names of hidden files begin."""

_NAME: Final = re.compile(re.escape(UNFINISHED) + r"-(?P<host>.*)-(?P<pid>\d+)-(?P<since>[0-9a-f]+)-\d+(\.[^.]*)?")
_SINCE: Final = f"{time.time_ns():x}"  # a number of a process comes back, on a machine that is started anew for one
_NUMBERS: Final = itertools.count()
_CANNOT: Final = (errno.EINVAL, errno.EACCES, errno.EPERM, errno.ENOTSUP, errno.EBADF)


@contextmanager
def replacing(path: Path, keep_previous: Path | None = None, flush: bool = True) -> Iterator[Path]:
    """A place to write to that becomes ``path`` when the block ends well, and vanishes when it does not.

    Args:
        path: in folders that are made if they are missing.
        keep_previous: in the same folder, where the version replaced goes; None drops it. Meanwhile ``path`` stays.
        flush: wait for the disk. Without, a machine that loses power may lose the file; a process that dies does not.

    Yields:
        A hidden name in the folder of ``path``, with its suffix.

    Raises:
        OSError: the disk is full or refuses; ``path`` is as it was.
    """
    if path.is_dir():  # said at once, and not after everything is written
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    tidy(path.parent.absolute())
    unfinished = _hidden(path)
    try:
        yield unfinished
        if flush:
            _flush(unfinished)
        if keep_previous is not None and path.exists():
            _keep(path, keep_previous)
        os.replace(unfinished, path)
        if flush:
            _flush_folder(path.parent)
    except OSError as error:
        if error.errno is not None and error.filename in (
            None,
            str(unfinished),
        ):  # a hidden name means nothing to anybody
            error.filename = str(path)
        raise
    finally:
        with suppress(OSError):
            unfinished.unlink()


def write_whole(path: Path, content: str | bytes, flush: bool = True) -> None:
    """Write a file, whole or not at all; text as UTF-8. See ``replacing``."""
    with replacing(path, flush=flush) as unfinished:
        unfinished.write_bytes(content if isinstance(content, bytes) else content.encode())


def write_together(contents: Mapping[Path, str | bytes]) -> None:
    """Write files that belong together: all are whole before the first is there."""
    with ExitStack() as places:
        for path, content in contents.items():
            unfinished = places.enter_context(replacing(path))
            unfinished.write_bytes(content if isinstance(content, bytes) else content.encode())


def move_aside(path: Path, to: Path) -> None:
    """Rename a file or a folder, which leaves behind what dead processes began in it."""
    if path.is_dir():
        for folder in (path, *(inside for inside in path.rglob("*") if inside.is_dir())):
            tidy(folder.absolute())
    os.replace(path, to)


def _hidden(path: Path) -> Path:
    """Short, for ``path`` may have the longest name that there can be; no two alike."""
    return path.with_name(f"{UNFINISHED}-{_host()}-{os.getpid()}-{_SINCE}-{next(_NUMBERS)}{path.suffix[:16]}")


def _keep(path: Path, previous: Path) -> None:
    """Give the present version a second name, so that there is a ``path`` at every moment."""
    second = _hidden(path)
    try:
        os.link(path, second)
    except OSError:  # no second names on this file system: for a moment only ``previous`` is there
        os.replace(path, previous)
        return
    os.replace(second, previous)
    second.unlink(missing_ok=True)  # two names of one file are not replaced by each other: both stay


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    if os.name == "nt":  # cannot open folders
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    except OSError as error:
        if error.errno not in _CANNOT:  # some file systems of networks keep names safe without being asked
            raise
    finally:
        os.close(opened)


@functools.cache
def tidy(folder: Path) -> None:
    """Remove what dead processes of this machine left in a folder; looked for once, for folders may hold very much."""
    for left in folder.glob(f"{UNFINISHED}-*"):
        writer = _NAME.fullmatch(left.name)
        if writer and writer["host"] == _host() and not _writes(int(writer["pid"]), writer["since"]):
            with suppress(OSError):
                left.unlink()


def _writes(pid: int, since: str) -> bool:
    """Whether the process that began a file may still be at it."""
    if pid == os.getpid():
        return since == _SINCE
    if os.name == "nt":  # nobody can be asked there without being hurt
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


@functools.cache
def _host() -> str:
    return re.sub(r"[^A-Za-z0-9.]", "_", platform.node())[:40] or "host"
