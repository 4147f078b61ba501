"""A checkpoint file of anybody's into one under detrex's names or this package's, checked against a model if given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from torch import Tensor

from dsct_detrex.errors import UserError
from dsct_detrex.paths import user_path
from dsct_detrex.weights.convert import Converted, convert
from dsct_detrex.weights.loading import too_few
from dsct_detrex.weights.matching import match, report
from dsct_detrex.weights.reading import read_checkpoint
from dsct_detrex.weights.report import LoadReport
from dsct_detrex.weights.writing import SUFFIXES, write_weights

Target = Literal["detrex", "dsct"]

_OURS: Final = ("host.", "subject_queries.", "training_queries.", "heads.")
_BACKBONES: Final = ("stem.", "res2.", "res3.", "res4.", "res5.")
_LEAST_SHARE: Final = 0.5


@dataclass(frozen=True)
class Conversion:
    """What a conversion wrote.

    Attributes:
        target: whose names the output has: a host's, or a DSCT model's with ``host.`` before those.
        report: what became of every tensor of the file; with a model, and of every tensor of the model.
        weights: the tensors written.
    """

    target: Target
    report: LoadReport
    weights: dict[str, Tensor]


def convert_checkpoint(
    source: str | Path,
    output: str | Path,
    to: Target | None = None,
    model: Mapping[str, Tensor] | None = None,
    force: bool = False,
    half: bool = False,
) -> Conversion:
    """Read, rename, write.

    Args:
        source: any file that ``read_checkpoint`` reads.
        output: ``*.safetensors`` or ``*.pth``.
        to: ``detrex``: a bare host, what is DSCT's own is left out; ``dsct``: a host stands under ``host.``. None: as
            the file is, a DSCT model or a host.
        model: state dict (``keep_vars=True``, any device) of the model that the output is for; it decides the names
            instead of ``to``, and only what fits it is written.
        force: replace an ``output`` that exists.
        half: store matrices and larger tensors in float16, which halves the file.

    Raises:
        UserError: ``source`` cannot be read, ``output`` exists or has another suffix, there is no host to write, or too
            little fits the model.
    """
    output = _free_place(user_path(output), force)
    checkpoint = read_checkpoint(source)
    if model is None:
        outcome, weights = _renamed(checkpoint.state_dict, to, source)
    else:
        found = match(model, checkpoint.state_dict)
        if not found.enough(_LEAST_SHARE):
            raise UserError(too_few("convert_checkpoint", found.report, model, checkpoint.state_dict))
        outcome, weights = found.report, found.fitting
    write_weights(output, weights, half)
    return Conversion("dsct" if _is_dsct(weights) else "detrex", outcome, weights)


def _is_dsct(names: Iterable[str]) -> bool:
    return any(name.startswith(_OURS) for name in names)


def _free_place(output: Path, force: bool) -> Path:
    """Refuse before minutes of reading, not after."""
    if output.suffix not in SUFFIXES:
        raise UserError(
            f"convert_checkpoint: the name of the output decides its format and ends in {' or '.join(SUFFIXES)}. "
            f"Got {output.name!r}."
        )
    if output.exists() and not force:
        raise UserError(f"convert_checkpoint: {output} exists; choose another name, or replace it with --force.")
    return output


def _renamed(
    state_dict: Mapping[str, Tensor], to: Target | None, source: str | Path
) -> tuple[LoadReport, dict[str, Tensor]]:
    """The tensors under the names of the target, and what became of them all."""
    converted = convert(state_dict)
    target = to or ("dsct" if _is_dsct(converted.state_dict) else "detrex")
    places = _places(list(converted.state_dict), target)
    if not places:
        raise UserError(
            f"convert_checkpoint: {source} holds no host (no name begins with host.), and detrex has a place for "
            "nothing else; --to dsct keeps it."
        )
    # what has no place keeps its name, and so is reported as left over
    everything = Converted(
        {places.get(name, name): tensor for name, tensor in converted.state_dict.items()},
        {places.get(name, name): origin for name, origin in converted.sources.items()},
    )
    weights = {place: converted.state_dict[name] for name, place in places.items()}
    return report(weights, everything, state_dict), weights


def _places(names: Sequence[str], target: Target) -> dict[str, str]:
    """Name -> name in a model of the target's kind, for those that have one."""
    if _is_dsct(names):
        bare = {name: name.removeprefix("host.") for name in names if name.startswith("host.")}
        return {name: name for name in names} if target == "dsct" else bare
    prefix = "host." if target == "dsct" else ""
    if all(name.startswith(_BACKBONES) for name in names):
        prefix += "backbone."
    return {name: prefix + name for name in names}
