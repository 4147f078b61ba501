"""Run tasks that release the GIL on several threads: torch's own OpenMP threads where they can be reached.

torch computes on the threads of the OpenMP library it brings along, and these spin for some milliseconds after every
operation. A second set of threads would fight them for the cores (measured: two threads then gain nothing on decoder
sizes), so the tasks run on the very same threads through the library's entry point `GOMP_parallel`. Where that library
is another one (macOS, Windows), and in a forked child, where its threads no longer exist, plain Python threads serve.
"""

import ctypes
import functools
import os
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import torch

Task = Callable[[], object]

_REGION = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_state = {"forked": False}

if sys.platform != "win32":
    os.register_at_fork(after_in_child=lambda: _state.update(forked=True))


def run_tasks(tasks: Iterable[Task], threads: int) -> None:
    """Call every task once, on up to `threads` threads at a time, and return when all are done.

    Raises:
        BaseException: the first error of a task; tasks that had not begun by then are left out.
    """
    pending = list(tasks)
    threads = min(threads, len(pending))
    if threads <= 1:
        for task in pending:
            task()
        return
    queue = iter(pending)  # next() on a list's iterator is atomic: every task is handed out once
    errors: list[BaseException] = []

    def work(_: object = None) -> None:
        try:
            for task in queue:
                if errors:
                    return
                task()
        except BaseException as error:
            errors.append(error)

    region = None if _state["forked"] else _openmp_region()
    if region is None:
        _on_python_threads(work, threads)
    else:
        region(_REGION(work), None, threads, 0)
    if errors:
        raise errors[0]


def _on_python_threads(work: Task, threads: int) -> None:
    helpers = [threading.Thread(target=work, daemon=True) for _ in range(threads - 1)]
    for helper in helpers:
        helper.start()
    work()
    for helper in helpers:
        helper.join()


@functools.cache
def _openmp_region() -> Callable[..., object] | None:
    """`GOMP_parallel(function, data, threads, flags)` of the OpenMP library that this process already uses, if any."""
    if sys.platform != "linux":
        return None
    bundled = [str(path) for path in (Path(torch.__file__).parent / "lib").glob("libgomp*.so*")]
    for name in [*bundled, "libgomp.so.1"]:
        try:
            region = ctypes.CDLL(name, mode=os.RTLD_NOLOAD | os.RTLD_NOW).GOMP_parallel
        except (OSError, AttributeError):  # not loaded in this process, or another brand of OpenMP
            continue
        region.argtypes = [_REGION, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint]
        region.restype = None
        return region
    return None
