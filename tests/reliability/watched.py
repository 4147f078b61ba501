"""A process that notices what code from data would do: start programs, open files to write, connect, run text as code.

Python's audit hooks cannot be taken away again, so the watch is kept in a process of its own, which is forked for it.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

DEEDS = (
    "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "subprocess.Popen", "os.remove", "os.rename", "os.mkdir",  # noqa: E501
    "os.rmdir", "os.symlink", "os.link", "os.chmod", "os.putenv", "shutil.rmtree", "socket.connect", "socket.bind",
    "socket.getaddrinfo", "urllib.Request", "ctypes.dlopen", "webbrowser.open", "http.client.connect",
)  # fmt: skip
"""Audit events of what no file of weights, data or settings may cause."""


def deeds_of(work: Callable[[], Any], may_read: Path | None = None) -> tuple[list[str], str]:
    """What some work did that it may not, and how it ended: ``"done"`` or the last line of its error.

    Args:
        may_read: a folder whose files, besides those of Python and its packages, may be read.
    """
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_watched, args=(work, may_read, theirs))
    process.start()
    theirs.close()
    try:
        answer: tuple[list[str], str] = ours.recv()
    except EOFError:
        answer = (["the process died"], "")
    process.join(60)
    return answer


def _watched(work: Callable[[], Any], may_read: Path | None, answer: Any) -> None:
    deeds: list[str] = []
    watching = True
    known = tuple(
        map(os.path.realpath, {sys.prefix, sys.base_prefix, *filter(None, sys.path), os.path.dirname(os.__file__)})
    )
    readable = (*known, "/proc", "/sys", "/dev", *([os.path.realpath(may_read)] if may_read else []))

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if not watching:
            return
        if event in DEEDS:
            deeds.append(f"{event}{arguments!r:.200}")
        elif event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
            name, mode = os.path.realpath(os.fsdecode(arguments[0])), arguments[1] or ""
            writes = any(letter in str(mode) for letter in "wax+")
            if (writes and "__pycache__" not in name) or not name.startswith(readable):
                deeds.append(f"open {name} {mode}")

    sys.addaudithook(hook)
    try:
        work()
        end = "done"
    except BaseException:
        end = traceback.format_exc(limit=0).strip().splitlines()[-1]
    watching = False
    answer.send((deeds, end))
    answer.close()
    os._exit(0)
