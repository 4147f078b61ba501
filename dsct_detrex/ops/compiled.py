"""How this room compiles its loops: with numba, at their first call, kept on disk for the next process."""

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

_Function = TypeVar("_Function", bound=Callable[..., Any])


def compiled(function: _Function) -> _Function:
    """Compiled without the GIL; kept wherever the package's or the user's cache folder can be written."""
    try:
        made: _Function = njit(cache=True, nogil=True, error_model="numpy")(function)
    except RuntimeError:  # neither can
        made = njit(nogil=True, error_model="numpy")(function)
    return made
