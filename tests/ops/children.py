"""Tests that run in a child process, because triton decides when it is imported whether its kernels are interpreted.

The variable ``TRITON_INTERPRET`` cannot be set for the whole test run: it would turn the kernels that other tests (and
torch.compile on a GPU) want compiled into interpreted ones, and which test imports triton first depends on how
pytest-xdist deals them out. So a test marked here is sent, by name and arguments, to a process that was started with
the variable set (or not set); each process of the test run has one of each kind, started at its first such test.
"""

import atexit
import functools
import importlib
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import torch

VARIABLE = "TRITON_INTERPRET"
_MARK = "DSCT_TEST_CHILD"


def interpreted(test: Callable[..., None]) -> Callable[..., None]:
    """The test, run where triton interprets kernels; its arguments must be picklable."""
    return _elsewhere(test, "1")


def compiled(test: Callable[..., None]) -> Callable[..., None]:
    """The test, run where triton compiles kernels."""
    return _elsewhere(test, "0")


def _elsewhere(test: Callable[..., None], interpret: str) -> Callable[..., None]:
    @functools.wraps(test)
    def sent(**arguments: Any) -> None:
        _child(interpret).submit(_run, test.__module__, test.__name__, arguments).result()

    return sent


@functools.cache
def _child(interpret: str) -> ProcessPoolExecutor:
    before = {name: os.environ.get(name) for name in (VARIABLE, _MARK)}
    os.environ.update({VARIABLE: interpret, _MARK: "1"})
    try:
        pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), torch.set_num_threads, (1,))
        pool.submit(os.getpid).result()  # the process inherits the environment when it starts, which is now
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value
    atexit.register(pool.shutdown)
    return pool


def _run(module: str, name: str, arguments: dict[str, Any]) -> None:
    assert os.environ[_MARK] == "1"
    torch.manual_seed(0)
    getattr(importlib.import_module(module), name).__wrapped__(**arguments)
