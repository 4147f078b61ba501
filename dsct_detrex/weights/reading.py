"""Any checkpoint a user may have, read safely: tensors come out, code never runs.

Known containers, told by their first bytes and not by their suffix: safetensors (our releases, plain ones), torch zip
and legacy files (our training checkpoints, detrex, the official codes with ``argparse.Namespace`` inside, torchvision),
and detectron2's pickles of numpy arrays.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from dsct_detrex.errors import UserError, reason_of
from dsct_detrex.paths import user_path
from dsct_detrex.weights import pickles
from dsct_detrex.weights.formats import detect_format
from dsct_detrex.weights.pickles import RefusedGlobal, load_arrays
from dsct_detrex.weights.release import HEADER_KEY, load_release
from dsct_detrex.weights.training_checkpoint import FORMAT, check_entries

_ZIP: Final = b"PK\x03\x04"
_TORCH_LEGACY: Final = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."  # torch's magic number, pickled
_PICKLE: Final = b"\x80"
_LONGEST_HEADER: Final = 100_000_000  # safetensors: 8 bytes of header length, at most this, then the JSON
_WEIGHT_KEYS: Final = ("model", "state_dict")
_AVERAGE_KEYS: Final = (
    "ema",
    "ema_state",
    "model_ema",
    "state_dict_ema",
)  # ours, detrex's, the official codes', timm's
_WRAPPERS: Final = ("module.", "_orig_mod.", "model.")  # of DDP, of torch.compile, of Lightning


@dataclass(frozen=True)
class CheckpointFile:
    """What a file holds.

    Attributes:
        state_dict: tensors on the CPU under the file's own names, without the prefix of a wrapper that all of them
            share (``module.`` of DDP). A file that holds a weight average alone gives the average.
        kind: ``"release"`` for this package's release files, else the answer of ``detect_format``.
        average: the average of the weights (EMA) that stands beside them, under names of the same kind, or None.
        extras: what stands beside the weights: for a release ``{"release": Release}``; for a training checkpoint
            optimiser, epoch, ``args`` and so on, as saved; empty for a plain state dict.
    """

    state_dict: dict[str, Tensor]
    kind: str
    extras: dict[str, Any]
    average: dict[str, Tensor] | None = None


def read_checkpoint(path: str | Path) -> CheckpointFile:
    """Read the weights of a file, whoever wrote it.

    Raises:
        UserError: the file is missing, a folder, empty, damaged, of no known type, names Python code, or holds no
            tensors; the message says which and what to do.
    """
    path = _existing_file(path)
    with path.open("rb") as file:
        head = file.read(len(_TORCH_LEGACY))
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= _LONGEST_HEADER:
        return _from_safetensors(path)
    if head.startswith((_ZIP, _TORCH_LEGACY)):
        return _from_content(path, _guarded(path, _load_torch))
    if head.startswith(_PICKLE):
        return _from_content(path, _guarded(path, load_arrays))
    raise UserError(
        f"read_checkpoint: {path} is no checkpoint (safetensors, torch or numpy pickle): it begins with {head!r}. "
        "An incomplete download or a web page saved in its place looks like this; fetch the file again."
    )


def _existing_file(path: str | Path) -> Path:
    if "://" in str(path):
        raise UserError(
            f"read_checkpoint: {path} is an address, and nothing is downloaded here; fetch the file and give its path."
        )
    path = user_path(path)
    if path.is_dir():
        inside = sorted(p.name for p in path.iterdir() if p.suffix in {".safetensors", ".pth", ".pt", ".pkl"})
        hint = f"give one of the files in it, e.g. {', '.join(inside[:3])}" if inside else "it holds no checkpoint"
        raise UserError(f"read_checkpoint: {path} is a folder, a file is expected; {hint}.")
    if not path.is_file():
        raise UserError(f"read_checkpoint: there is no file {path}. Check the path.")
    if path.stat().st_size == 0:
        raise UserError(f"read_checkpoint: {path} is empty (0 bytes); copy or download it again.")
    return path


def _guarded(path: Path, load: Callable[[Path], Any]) -> Any:
    """Run a loader of foreign bytes and say in a sentence what went wrong."""
    try:
        return load(path)
    except RefusedGlobal as error:
        raise _holds_code(path, str(error)) from error
    except pickle.UnpicklingError as error:
        named = re.search(r"(?:GLOBAL|class|function) ([\w.]+\.\w+)", str(error))
        raise (_holds_code(path, named[1]) if named else _is_damaged(path, error)) from error
    except Exception as error:  # bytes cut or flipped anywhere make pickle and torch raise nearly anything
        raise _is_damaged(path, error) from error


def _holds_code(path: Path, name: str) -> UserError:
    return UserError(
        f"read_checkpoint: {path} asks for the Python object {name}, and a file that may do so may run any code, so it "
        "was not opened. Where you trust it, save its weights alone: torch.save({'model': model.state_dict()}, path)."
    )


def _is_damaged(path: Path, error: Exception) -> UserError:
    reason = reason_of(error)
    return UserError(
        f"read_checkpoint: {path} is damaged or incomplete ({path.stat().st_size} bytes; {reason}); "
        "copy or download it again."
    )


def _load_torch(path: Path) -> Any:
    """By torch's own reader of weights; a file with more in it again by ours, which knows more names."""
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        # not weights_only, because that takes no pickle_module; nothing is unpickled but by it
        return torch.load(path, map_location="cpu", weights_only=False, pickle_module=pickles)


def _from_safetensors(path: Path) -> CheckpointFile:
    try:
        with safe_open(str(path), framework="pt") as file:
            is_release = HEADER_KEY in (file.metadata() or {})
            weights = {} if is_release else {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise _is_damaged(path, error) from error
    if is_release:
        release = load_release(path)
        return CheckpointFile(release.state_dict, "release", {"release": release})
    return _checkpoint(path, weights, {})


def _from_content(path: Path, content: Any) -> CheckpointFile:
    """Find the weights in what a file unpickled to: under a known key, or the whole of it."""
    if not isinstance(content, Mapping):
        raise UserError(
            f"read_checkpoint: {path} holds a {type(content).__name__}, a dict of tensors is expected; "
            "save it with torch.save({'model': model.state_dict()}, path)."
        )
    if content.get("format") == FORMAT:
        check_entries(content, path)
    weights_key = _mapping_of_tensors(content, _WEIGHT_KEYS)
    average_key = _mapping_of_tensors(content, _AVERAGE_KEYS)
    key = weights_key or average_key
    if key is None:
        return _checkpoint(path, content, {})
    extras = {name: value for name, value in content.items() if name not in (key, average_key)}
    average = content[average_key] if weights_key and average_key else {}
    return _checkpoint(path, content[key], extras, average)


def _mapping_of_tensors(content: Mapping[str, Any], keys: Sequence[str]) -> str | None:
    """The first of the keys that holds tensors, else the first with any mapping: ``model`` may be a config."""
    mappings = [key for key in keys if isinstance(content.get(key), Mapping)]
    return next((key for key in mappings if _holds_tensors(content[key])), next(iter(mappings), None))


def _holds_tensors(mapping: Mapping[str, Any]) -> bool:
    return any(isinstance(value, Tensor | np.ndarray) for value in mapping.values())


def _checkpoint(
    path: Path, weights: Mapping[str, Any], extras: dict[str, Any], average: Mapping[str, Any] | None = None
) -> CheckpointFile:
    tensors = _tensors(path, weights)
    if not tensors:
        keys = ", ".join(str(k) for k in [*weights, *extras][:5]) or "none"
        raise UserError(
            f"read_checkpoint: {path} holds no tensors under {' or '.join(repr(k) for k in _WEIGHT_KEYS)} nor at its "
            f"top level (keys: {keys}); give a file that holds a model's state dict."
        )
    return CheckpointFile(tensors, detect_format(tensors), extras, _tensors(path, average or {}) or None)


def _tensors(path: Path, weights: Mapping[str, Any]) -> dict[str, Tensor]:
    """The tensors of a mapping, without the names of wrappers around the whole model."""
    tensors = {
        str(name): _as_tensor(path, str(name), value)
        for name, value in weights.items()
        if isinstance(value, Tensor | np.ndarray)
    }
    for wrapper in _WRAPPERS * 2:  # a compiled model in DDP has two, in either order
        if tensors and all(name.startswith(wrapper) for name in tensors):
            tensors = {name.removeprefix(wrapper): value for name, value in tensors.items()}
    return tensors


def _as_tensor(path: Path, name: str, value: Tensor | np.ndarray[Any, Any]) -> Tensor:
    if isinstance(value, Tensor):
        return value
    if value.dtype.kind not in "fiub":
        raise UserError(
            f"read_checkpoint: {path} holds {name} as an array of {value.dtype}, numbers are expected; "
            "give a file that holds a model's state dict."
        )
    return torch.from_numpy(value)
