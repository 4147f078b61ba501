"""Pickled numpy arrays (detectron2's ``*.pkl`` backbones), read without the power to run code.

A pickle may call any function it names. This reader knows the handful that rebuild arrays and refuses every other name
before it is looked up, let alone called.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np


class RefusedGlobal(pickle.UnpicklingError):
    """The file names something other than arrays; the message is that name."""


def load_arrays(path: Path) -> Any:
    """Read a pickle of plain types and numpy arrays.

    Raises:
        RefusedGlobal: the pickle names anything else.
        Exception: of nearly any type, when the bytes are damaged; ``reading`` turns it into a ``UserError``.
    """
    with path.open("rb") as file:
        return _ArrayUnpickler(file, encoding="latin1").load()


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        # numpy 1 and 2 call the home of the same functions differently.
        known = _KNOWN.get((module.replace("numpy._core", "numpy.core"), name))
        if known is None:
            raise RefusedGlobal(f"{module}.{name}")
        return known


def _array_from_buffer(buffer: bytes, dtype: np.dtype[Any], shape: tuple[int, ...], order: Any) -> np.ndarray[Any, Any]:
    return np.frombuffer(buffer, dtype=dtype).reshape(shape, order=order)


def _bytes_from_text(text: str, encoding: str) -> bytes:
    """How protocol 2 spells bytes; ``codecs.encode`` itself would look up any codec by name."""
    if encoding != "latin1":
        raise RefusedGlobal(f"_codecs.encode({encoding!r})")
    return text.encode("latin1")


_KNOWN: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
    ("numpy.core.multiarray", "scalar"): np.float64(0).__reduce__()[0],
    ("numpy.core.numeric", "_frombuffer"): _array_from_buffer,
    ("collections", "OrderedDict"): OrderedDict,
    ("_codecs", "encode"): _bytes_from_text,
}
