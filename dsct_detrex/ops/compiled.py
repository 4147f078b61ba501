"""How this room compiles its loops: with numba, at their first call, kept on disk for the next process."""

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

_Function = TypeVar("_Function", bound=Callable[..., Any])


def compiled_with(**options: Any) -> Callable[[_Function], _Function]:
    """A decorator: compiled without the GIL; kept wherever the package's or the user's cache folder can be written.

    Args:
        options: more of numba's.
    """

    def compile_(function: _Function) -> _Function:
        try:
            made: _Function = njit(cache=True, nogil=True, error_model="numpy", **options)(function)
        except RuntimeError:  # neither can
            made = njit(nogil=True, error_model="numpy", **options)(function)
        return made

    return compile_


compiled = compiled_with()
"""Nothing but that."""
