"""Where a computation would wait for a GPU, counted on a CPU: by watching what is called, not what it costs.

Watched are reads of a value (``item``, ``tolist``, ``bool``, ...), operators whose result has a size that depends on
values (``nonzero``, boolean indices, ...), and copies between the host's memory and the device. Every event is named by
the line of ours that caused it: ``objective/matcher.py __call__ cpu``.
"""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

PACKAGE = Path(__file__).parents[1] / "dsct_detrex"

# Seen where Python calls them: no operator of torch tells of them on a CPU.
READS = {Tensor.tolist: "tolist", Tensor.cpu: "cpu", Tensor.numpy: "numpy"}
UPLOADS = {torch.tensor: "tensor", torch.as_tensor: "as_tensor", Tensor.new_tensor: "new_tensor"}

aten = torch.ops.aten
VALUES = {
    aten._local_scalar_dense.default: "item",
    aten.is_nonzero.default: "bool",
    aten.equal.default: "equal",
    aten.nonzero.default: "nonzero",
    aten.masked_select.default: "masked_select",
    aten._unique2.default: "unique",
    aten.unique_dim.default: "unique",
    aten.repeat_interleave.Tensor: "repeat_interleave",
}
INDEXING = {
    aten.index.Tensor: 1,
    aten.index_put.default: 1,
    aten.index_put_.default: 1,
    aten._index_put_impl_.default: 1,
}


@contextmanager
def watched() -> Iterator[Counter[str]]:
    """The events of the block, backward passes included."""
    seen: Counter[str] = Counter()

    def note(what: str) -> None:
        seen[f"{_place()} {what}"] += 1

    with _Functions(note), _Operators(note):
        yield seen


class _Functions(TorchFunctionMode):
    def __init__(self, note: Callable[[str], None]) -> None:
        super().__init__()
        self.note = note

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in READS:
            self.note(READS[func])
        elif func in UPLOADS and not isinstance(args[-1 if func is Tensor.new_tensor else 0], Tensor):
            self.note(UPLOADS[func])
        return func(*args, **(kwargs or {}))


class _Operators(TorchDispatchMode):
    def __init__(self, note: Callable[[str], None]) -> None:
        super().__init__()
        self.note = note

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in VALUES and (kwargs or {}).get("output_size") is None:
            self.note(VALUES[func])
        elif func in INDEXING:
            indices = args[INDEXING[func]]
            if any(isinstance(index, Tensor) and index.dtype in (torch.bool, torch.uint8) for index in indices):
                self.note("boolean index")
        return func(*args, **(kwargs or {}))


def _place() -> str:
    """File and function of ours that a call came from; of torch where none did (a backward pass, an optimizer)."""
    ours = [frame for frame in traceback.extract_stack() if Path(frame.filename).is_relative_to(PACKAGE)]
    if not ours:
        return "torch"
    frame = ours[-1]
    return f"{Path(frame.filename).relative_to(PACKAGE).as_posix()} {frame.name}"
