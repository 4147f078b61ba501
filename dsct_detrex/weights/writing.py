"""Files of tensors, whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from dsct_detrex.errors import UserError
from dsct_detrex.files import replacing
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
    if path.suffix == ".safetensors":
        write_tensors(path, once, {"format": "pt"})
    else:
        with replacing(path) as unfinished, _as_os_error(path):
            torch.save({"model": {name: once[tied.get(name, name)] for name in state_dict}}, unfinished)


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write a safetensors file; an interrupted call leaves the old file, or none.

    Args:
        tensors: no two share memory.
        metadata: of the header.
    """
    with replacing(path) as unfinished, _as_os_error(path):
        save_file(dict(tensors), str(unfinished), dict(metadata))
        unfinished.chmod(0o666 & ~_umask())  # it makes files that only their owner can read


@contextmanager
def _as_os_error(path: Path) -> Iterator[None]:
    """What both libraries make of a full disk is an error of theirs; here it is what it is."""
    try:
        yield
    except (SafetensorError, RuntimeError) as error:
        raise OSError(errno.EIO, f"writing failed ({error})", str(path)) from error


def clean_copy(tensor: Tensor) -> Tensor:
    """A tensor of its own: off the graph, on the CPU, with nothing else in its memory."""
    return tensor.detach().cpu().clone(memory_format=torch.contiguous_format)


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
