"""Pickles of weights and of harmless things beside them, read without the power to run code.

A pickle may call anything it can name. This reader has a list of names and refuses every other before it is looked up,
let alone called. On the list are

* what rebuilds tensors and parameters, of the names that torch allows in ``torch.load(weights_only=True)``;
* what rebuilds numpy arrays, scalars and types;
* values of the standard library that people save with their weights: paths (of any system, they become
  ``PurePosixPath`` and ``PureWindowsPath``), ``defaultdict`` and ``deque`` (which become ``dict`` and ``list``),
  ``Namespace``, dates, decimals, ids, sets;
* objects of config libraries, which become inert ``Placeholder`` objects: nothing of theirs is imported.

None of these reaches a file, a process, an import or an attribute by name. Objects may be filled with state; classes
and functions may not. Containers are filled with what the file holds, not with numbers that a few bytes stand for
(``list(range(10**12))``, ``int(Decimal("1e999999999"))``), which would fill the memory instead.
"""

from __future__ import annotations

import argparse
import collections
import datetime
import decimal
import fractions
import pickle
import types
import uuid
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, ClassVar, Final

import numpy as np
import torch


class RefusedGlobal(pickle.UnpicklingError):
    """The file names something other than data; the message is that name."""


class Placeholder(dict[Any, Any]):
    """Stands for an object of a config library; keeps its name and whatever state the file fills it with.

    It takes any arguments and items, because all kinds of objects are built in its place, and does nothing with them.
    """

    name: str

    def __new__(cls, *_: Any, **__: Any) -> Placeholder:
        return super().__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__()

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, dict):
            self.update(state)

    def append(self, _: Any) -> None:
        """An item of what was a list or a set; not kept."""

    extend = add = append

    def __hash__(self) -> int:  # type: ignore[override]  # it may stand for a key
        return id(self)

    def __repr__(self) -> str:
        return f"<{self.name}, not read>"


def load_arrays(path: Path) -> Any:
    """Read a pickle of plain types, numpy arrays and the harmless things above.

    Raises:
        RefusedGlobal: the pickle names anything else.
        Exception: of nearly any type, when the bytes are damaged; ``reading`` turns it into a ``UserError``.
    """
    with path.open("rb") as file:
        return Unpickler(file, encoding="latin1").load()


def load(file: Any, **options: Any) -> Any:
    """What torch calls where a file has several pickles in a row; this module is its ``pickle_module``."""
    return Unpickler(file, **options).load()


class Unpickler(pickle._Unpickler):
    """Python's own unpickler, written in Python, with other ears for names and deaf to state for what is no object."""

    dispatch: ClassVar[dict[int, Any]] = dict(pickle._Unpickler.dispatch)

    def find_class(self, module: str, name: str) -> Any:
        # Python 2, and so protocol 2, has other names for the same things
        module, name = NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
        known = _harmless(module, name)
        if known is None:
            raise RefusedGlobal(f"{module}.{name}")
        return known

    def load_build(self) -> None:
        owner = self.stack[-2]  # type: ignore[attr-defined]
        if isinstance(owner, _NO_OBJECTS):
            raise RefusedGlobal(f"{owner.__module__}.{owner.__name__}.__setstate__")
        super().load_build()  # type: ignore[misc]

    dispatch[pickle.BUILD[0]] = load_build

    def load_reduce(self) -> None:
        _check_filling(*self.stack[-2:])  # type: ignore[attr-defined]
        super().load_reduce()  # type: ignore[misc]

    dispatch[pickle.REDUCE[0]] = load_reduce

    def load_newobj(self) -> None:
        _check_filling(*self.stack[-2:])  # type: ignore[attr-defined]
        super().load_newobj()  # type: ignore[misc]

    dispatch[pickle.NEWOBJ[0]] = load_newobj

    def load_newobj_ex(self) -> None:
        _check_filling(*self.stack[-3:-1])  # type: ignore[attr-defined]
        super().load_newobj_ex()  # type: ignore[misc]

    dispatch[pickle.NEWOBJ_EX[0]] = load_newobj_ex


def _check_filling(called: Any, arguments: Any) -> None:
    """Refuse a container that is to be made of a number or a range, and a number of a power of ten."""
    first = arguments[0] if isinstance(arguments, tuple) and arguments else None
    fills = any(called is kind for kind in _CONTAINERS) and isinstance(first, int | range)
    counts = (called is int and isinstance(first, decimal.Decimal)) or (
        called is fractions.Fraction and isinstance(first, str) and "e" in first.lower()
    )
    if fills or counts:
        raise RefusedGlobal(f"{called.__module__}.{called.__name__}({first!r})")


_NO_OBJECTS: Final = (type, types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.ModuleType)
_CONFIG_LIBRARIES: Final = frozenset(
    ("omegaconf", "mmengine", "mmcv", "yacs", "hydra", "easydict", "addict", "ml_collections", "munch", "typing")
)


def _harmless(module: str, name: str) -> Any:
    """What stands for a name of a pickle, or None where it may not be named."""
    home = module.replace("numpy._core", "numpy.core")  # numpy 1 and 2 call it differently
    if home.split(".")[0] in _CONFIG_LIBRARIES:
        return type("Placeholder", (Placeholder,), {"name": f"{module}.{name}"})
    if home == "torch" and isinstance(getattr(torch, name, None), torch.dtype):
        return getattr(torch, name)
    return _KNOWN.get((home, name))


def _array_from_buffer(buffer: bytes, dtype: np.dtype[Any], shape: tuple[int, ...], order: Any) -> np.ndarray[Any, Any]:
    return np.frombuffer(buffer, dtype=dtype).reshape(shape, order=order)


def _bytes_from_text(text: str, encoding: str) -> bytes:
    """How protocol 2 spells bytes; ``codecs.encode`` itself would look up any codec by name."""
    if encoding != "latin1":
        raise RefusedGlobal(f"_codecs.encode({encoding!r})")
    return text.encode("latin1")


def _dict(_factory: Any = None, items: Any = ()) -> dict[Any, Any]:
    """In place of ``defaultdict``: what a missing key makes is forgotten."""
    return dict(items)


def _list(items: Any = (), _longest: Any = None) -> list[Any]:
    """In place of ``deque``."""
    return list(items)


_BUILTINS: Final = (
    *(bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset, slice, range, object),
)
_CONTAINERS: Final = (
    *(bytes, bytearray, list, tuple, dict, set, frozenset, collections.OrderedDict, collections.Counter, _dict, _list),
)
_PATHS: Final[dict[tuple[str, str], Any]] = {
    (home, name): PureWindowsPath if "Windows" in name else PurePosixPath
    for home in ("pathlib", "pathlib._local")
    for name in ("Path", "PurePath", "PosixPath", "PurePosixPath", "WindowsPath", "PureWindowsPath")
}
_REBUILD: Final[tuple[Any, ...]] = (
    torch._utils._rebuild_tensor,
    torch._utils._rebuild_tensor_v2,
    torch._utils._rebuild_parameter,
)
_KNOWN: Final[dict[tuple[str, str], Any]] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    **{("numpy", np.dtype(code).type.__name__): np.dtype(code).type for code in "?bBhHiIlLefd"},
    ("numpy", "bool_"): np.bool_,
    ("numpy.core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
    ("numpy.core.multiarray", "scalar"): np.float64(0).__reduce__()[0],
    ("numpy.core.numeric", "_frombuffer"): _array_from_buffer,
    ("_codecs", "encode"): _bytes_from_text,
    **{("builtins", kind.__name__): kind for kind in _BUILTINS},
    ("collections", "OrderedDict"): collections.OrderedDict,
    ("collections", "Counter"): collections.Counter,
    ("collections", "defaultdict"): _dict,
    ("collections", "deque"): _list,
    **_PATHS,
    ("argparse", "Namespace"): argparse.Namespace,
    ("types", "SimpleNamespace"): types.SimpleNamespace,
    ("datetime", "datetime"): datetime.datetime,
    ("datetime", "date"): datetime.date,
    ("datetime", "time"): datetime.time,
    ("datetime", "timedelta"): datetime.timedelta,
    ("datetime", "timezone"): datetime.timezone,
    ("decimal", "Decimal"): decimal.Decimal,
    ("fractions", "Fraction"): fractions.Fraction,
    ("uuid", "UUID"): uuid.UUID,
    ("uuid", "SafeUUID"): uuid.SafeUUID,
    ("torch", "Size"): torch.Size,
    ("torch", "device"): torch.device,
    ("torch.nn.parameter", "Parameter"): torch.nn.Parameter,
    ("torch.storage", "UntypedStorage"): torch.UntypedStorage,
    **{("torch._utils", rebuild.__name__): rebuild for rebuild in _REBUILD},
}
