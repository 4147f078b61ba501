"""Files of tensors that are either the old version or the complete new one, whatever happens while they are written."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import torch
from safetensors.torch import save_file
from torch import Tensor

from dsct_detrex.errors import UserError
from dsct_detrex.weights.tying import tied_names

SUFFIXES: Final = (".safetensors", ".pth")


def write_weights(path: Path, state_dict: Mapping[str, Tensor], half: bool = False) -> None:
    """Write a state dict in the container that the suffix names.

    ``.safetensors`` has every tensor once, under the first of its tied names; ``.pth`` has them all, under ``model``,
    as detrex reads it.

    Args:
        half: see ``convert_checkpoint``.

    Raises:
        UserError: another suffix.
    """
    if path.suffix not in SUFFIXES:
        raise UserError(
            f"write_weights: the name of the file decides its format and ends in {' or '.join(SUFFIXES)}. "
            f"Got {path.name!r}."
        )
    tied = tied_names(state_dict)
    once = {
        name: stored(tensor, torch.float16) if half else clean_copy(tensor)
        for name, tensor in state_dict.items()
        if name not in tied
    }
    with replacing(path) as unfinished:
        if path.suffix == ".safetensors":
            save_file(once, str(unfinished), {"format": "pt"})
        else:
            torch.save({"model": {name: once[tied.get(name, name)] for name in state_dict}}, unfinished)


def clean_copy(tensor: Tensor) -> Tensor:
    """A tensor of its own: off the graph, on the CPU, with nothing else in its memory."""
    return tensor.detach().cpu().clone(memory_format=torch.contiguous_format)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A place to write to that becomes ``path`` when the block ends well, and vanishes when it does not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield unfinished
        with unfinished.open("rb+") as file:
            os.fsync(file.fileno())
        unfinished.chmod(0o666 & ~_umask())  # safetensors makes files only their owner can read
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def _umask() -> int:
    """The permissions this process withholds from new files; it can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def stored(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """How a tensor lies in a file whose matrices are of ``dtype``; a clone, so that views of one storage stay separate.

    Vectors (norms, biases), integers and tensors beyond the range of the type keep theirs.
    """
    if tensor.is_floating_point() and tensor.ndim >= 2:
        smaller = tensor.to(dtype)
        if bool((smaller.isfinite() == tensor.isfinite()).all()):
            tensor = smaller
    return clean_copy(tensor)
