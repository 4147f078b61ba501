"""The file a finished run leaves behind: weights and all that is needed to use them, in one ``*.safetensors``.

The tensors are a plain safetensors file that any tool opens; the header's metadata carries one JSON text with the label
set, thresholds, resolved config and provenance, and, once it was calibrated, a temperature with what it was found on
(``calibrated.py``). Reading it cannot run code. Tied tensors are stored once and an alias table restores their other
names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from dsct_detrex import __version__
from dsct_detrex.errors import UserError, reason_of
from dsct_detrex.paths import user_path
from dsct_detrex.structures import Emotions, MultiClassEmotions, MultiLabelEmotions, ObjectClasses
from dsct_detrex.weights.kinds import NOTHING, wrong_kind
from dsct_detrex.weights.tying import tied_names
from dsct_detrex.weights.writing import stored, write_tensors

FORMAT_VERSION = 2
PLAIN_VERSION = 1
"""Of a file without a calibration; whoever reads no further would hold thresholds against other probabilities."""
HEADER_KEY = "dsct_detrex"
_KINDS: dict[str, type[Emotions]] = {
    "objects": ObjectClasses,  # before what it is one of
    "multi_label": MultiLabelEmotions,
    "multi_class": MultiClassEmotions,
}


@dataclass(frozen=True)
class Provenance:
    """Where weights come from.

    Attributes:
        command: the command line that trained them.
        epoch: finished epochs, whole ones; None where the length of one is unknown.
        metrics: numbers of the evaluation that chose them, by name (``emotion/mAP``).
        package_version: the ``dsct_detrex`` that wrote the file.
        note: what must be known about them, e.g. that they are of a run of four steps; else empty.
        iteration: steps done; None in files of those who did not write it.
    """

    command: str = ""
    epoch: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    package_version: str = __version__
    note: str = ""
    iteration: int | None = None


_PROVENANCE: Final[dict[str, tuple[type, ...]]] = {
    "command": (str,),
    "epoch": (int, NOTHING),
    "metrics": (Mapping,),
    "package_version": (str,),
    "note": (str,),
    "iteration": (int, NOTHING),
}


@dataclass(frozen=True)
class Release:
    """A release file in memory.

    Attributes:
        state_dict: float32 weights on the CPU; tied names share one tensor.
        emotions: the label set that the heads were trained for, with the temperature of the calibration; of a detector
            the classes of things (``structures.ObjectClasses``).
        config: resolved config, YAML text.
        thresholds: K decision thresholds on the probabilities, or None when none were chosen.
        provenance: where the weights come from.
        calibration: what ``dsct calibrate`` found, as JSON types: ``temperature`` and what ``calibration.outcome``
            lists; None where it was never calibrated, which is temperature 1.
    """

    state_dict: dict[str, Tensor]
    emotions: Emotions
    config: str
    thresholds: tuple[float, ...] | None
    provenance: Provenance
    calibration: Mapping[str, Any] | None = None


def save_release(
    path: str | Path,
    state_dict: Mapping[str, Tensor],
    emotions: Emotions,
    config: str,
    thresholds: Sequence[float] | None = None,
    provenance: Provenance | None = None,
    dtype: torch.dtype = torch.float32,
) -> None:
    """Write a release file; an interrupted call leaves the old file, or none.

    Args:
        path: ``*.safetensors``; missing folders are made.
        state_dict: the model's weights, on any device.
        emotions, config, thresholds, provenance: see ``Release``.
        dtype: how matrices and larger tensors are stored. ``torch.float16`` or ``torch.bfloat16`` halves the file;
            vectors (norms, biases), tensors beyond the range of float16 and integers keep their type.

    Raises:
        ValueError: no tensors, another suffix, a dtype that is not floating point, or not K thresholds.
    """
    path = user_path(path)
    if path.suffix != ".safetensors":
        raise ValueError(f"save_release(path=) expects a name that ends in .safetensors. Got {path.name!r}.")
    if not state_dict:
        raise ValueError("save_release(state_dict=) expects at least one tensor. Got none.")
    if not dtype.is_floating_point:
        raise ValueError(f"save_release(dtype=) expects a floating point type. Got {dtype}.")
    if thresholds is not None and len(thresholds) != emotions.num_emotions:
        raise ValueError(
            f"save_release(thresholds=) expects one for each of {emotions.num_emotions} emotions. "
            f"Got {len(thresholds)}."
        )
    aliases = tied_names(state_dict)
    calibration = None if emotions.temperature == 1 else {"temperature": emotions.temperature}
    header = {
        "format_version": PLAIN_VERSION if calibration is None else FORMAT_VERSION,
        "emotions": plain_emotions(emotions),
        "thresholds": None if thresholds is None else [float(t) for t in thresholds],
        "config": config,
        "provenance": _plain(provenance or Provenance()),
        "calibration": calibration,
        "aliases": aliases,
    }
    tensors = {name: stored(tensor, dtype) for name, tensor in state_dict.items() if name not in aliases}
    write_tensors(path, tensors, {HEADER_KEY: json.dumps(header)})


def load_release(path: str | Path) -> Release:
    """Read a release file.

    Raises:
        UserError: the file is missing, damaged, no release, or written by a newer version; the message says which.
    """
    path = user_path(path)
    metadata, tensors = read_as_stored(path)
    try:
        return _release_from(checked_header(path, metadata), tensors)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        raise UserError(
            f"load_release: the header of {path} is damaged ({type(error).__name__}: {reason_of(error)}); "
            "copy or download it again."
        ) from error


def read_as_stored(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    """The metadata and the tensors of a safetensors file, in the types they lie there in.

    Raises:
        UserError: the file is missing or damaged.
    """
    if not path.is_file():
        raise UserError(f"load_release: {path} is not a file; give the path of a release (*.safetensors).")
    try:
        with safe_open(str(path), framework="pt") as file:
            tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return file.metadata() or {}, tensors
    except SafetensorError as error:
        raise UserError(
            f"load_release: {path} is damaged or no safetensors file ({reason_of(error)}); copy or download it again."
        ) from error


def _release_from(header: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Release:
    weights = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}
    weights.update({alias: weights[owner] for alias, owner in header["aliases"].items()})
    thresholds, calibration = header["thresholds"], header.get("calibration")
    temperature = 1.0 if calibration is None else float(calibration["temperature"])
    emotions = emotions_from_plain(header["emotions"], temperature)
    if thresholds is not None and len(thresholds) != emotions.num_emotions:
        raise ValueError(f"{len(thresholds)} thresholds of {emotions.num_emotions} emotions")
    if not isinstance(header["config"], str):
        raise TypeError("its config is no text")
    wrong = wrong_kind(header, {"calibration": (Mapping, NOTHING)}) or wrong_kind(header["provenance"], _PROVENANCE)
    if wrong is not None:
        raise TypeError(wrong)
    return Release(
        state_dict=weights,
        emotions=emotions,
        config=header["config"],
        thresholds=None if thresholds is None else tuple(float(threshold) for threshold in thresholds),
        provenance=Provenance(**header["provenance"]),
        calibration=calibration,
    )


def checked_header(path: Path, metadata: Mapping[str, str]) -> dict[str, Any]:
    """The JSON of a release's metadata.

    Raises:
        UserError: no release, or written by a newer version.
        ValueError: no JSON.
    """
    if HEADER_KEY not in metadata:
        raise UserError(
            f"load_release: {path} holds weights but no label set or config, so it is not a dsct_detrex release; "
            "read it with read_checkpoint, or use it as train.init_checkpoint."
        )
    header: dict[str, Any] = json.loads(metadata[HEADER_KEY])
    if header["format_version"] > FORMAT_VERSION:
        raise UserError(
            f"load_release: {path} has format version {header['format_version']}, this dsct_detrex {__version__} reads "
            f"up to {FORMAT_VERSION}; upgrade the package."
        )
    return header


def plain_emotions(emotions: Emotions) -> dict[str, Any]:
    """A label set as JSON types: ``name``, ``names`` and ``kind``, a key of ``_KINDS``."""
    return {"name": emotions.name, "names": list(emotions.names), "kind": _kind_of(emotions)}


def emotions_from_plain(plain: Mapping[str, Any], temperature: float = 1.0) -> Emotions:
    """The label set that ``plain_emotions`` wrote, whose probabilities are read at a temperature.

    Raises:
        KeyError: of an unknown kind, or something lacks.
    """
    return _KINDS[plain["kind"]](plain["name"], tuple(plain["names"]), temperature=temperature)


def _kind_of(emotions: Emotions) -> str:
    for kind, cls in _KINDS.items():
        if isinstance(emotions, cls):
            return kind
    raise ValueError(
        f"save_release(emotions=) expects one of {', '.join(c.__name__ for c in _KINDS.values())}. "
        f"Got {type(emotions).__name__}."
    )


def _plain(provenance: Provenance) -> dict[str, Any]:
    """JSON types; metrics may be numpy or torch scalars."""
    return {**asdict(provenance), "metrics": {name: float(value) for name, value in provenance.metrics.items()}}
