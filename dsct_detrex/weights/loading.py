"""Weights into a model: find under which names a file fits, load what fits, and say what happened to the rest.

``load_weights`` starts a training from another model's weights (a COCO host, an ImageNet backbone, another data set's
heads), where misfits are normal and reported. ``load_release_weights`` restores our own model, where a misfit is an
error.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from torch import Tensor, nn

from dsct_detrex.errors import UserError
from dsct_detrex.structures import Emotions
from dsct_detrex.weights.convert import Converted, readings
from dsct_detrex.weights.formats import FORMATS, detect_format
from dsct_detrex.weights.release import Release
from dsct_detrex.weights.tying import tied_names

_PREFIXES = ("", "host.", "backbone.", "host.backbone.", "backbone.body.", "host.backbone.body.")
"""Where a file's tensors may sit: at the top, in the host of a DSCT model, in a backbone of either naming."""


@dataclass(frozen=True)
class Mismatch:
    """A tensor whose place exists in another shape; the model keeps its fresh initialisation there."""

    name: str
    model_shape: tuple[int, ...]
    file_shape: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.name} {self.model_shape}, the file has {self.file_shape}"


@dataclass(frozen=True)
class LoadReport:
    """What became of every tensor.

    Attributes:
        format: kind of model the file holds, a key of ``FORMATS``.
        loaded: model names that took their values from the file.
        renamed: those of ``loaded`` that the file calls otherwise: model name -> name in the file.
        reinitialised: model names whose shape differs.
        missing: model names without a counterpart; they keep their initialisation. A name tied to a loaded one is not
            missing.
        unexpected: names of the file without a place in the model.
    """

    format: str
    loaded: tuple[str, ...]
    renamed: Mapping[str, str]
    reinitialised: tuple[Mismatch, ...]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]

    def summary(self) -> str:
        """A table of five lines; numbered layers are folded into one entry."""
        total = len(self.loaded) + len(self.reinitialised) + len(self.missing)
        rows = (
            ("loaded", len(self.loaded), f"of {total}, from {FORMATS[self.format]}"),
            ("renamed", len(self.renamed), _example_of_renaming(self.renamed)),
            ("re-initialised", len(self.reinitialised), "; ".join(str(m) for m in self.reinitialised[:4])),
            ("missing", len(self.missing), _folded(self.missing)),
            ("unexpected", len(self.unexpected), _folded(self.unexpected)),
        )
        return "\n".join(f"{name:<15}{count:>5}  {detail}".rstrip() for name, count, detail in rows)


def load_weights(model: nn.Module, state_dict: Mapping[str, Tensor], *, min_matched: float = 0.5) -> LoadReport:
    """Load whatever fits of a foreign or older state dict.

    The names are converted (``convert``) and tried at the top of the model, under ``host.`` and in its backbone, and a
    DSCT file without its ``host.`` too; the reading under which most tensors fit wins.

    Args:
        model: changed in place; tensors are cast to its dtype and device.
        state_dict: e.g. of ``read_checkpoint``.
        min_matched: the least share of tensors that must fit, in [0, 1], of those in the file or in the model,
            whichever are fewer.

    Raises:
        UserError: fewer fit; the message shows names of both sides. The model is untouched.
    """
    own = model.state_dict()
    candidate = max(_candidates(state_dict), key=lambda c: (len(_fitting(own, c)), len(own.keys() & c.state_dict)))
    fitting = _fitting(own, candidate)
    report = _report(own, candidate, fitting, state_dict)
    if len(fitting) < min_matched * max(1, min(len(own), len(candidate.state_dict))):
        raise UserError(_too_few(report, own, state_dict))
    model.load_state_dict(fitting, strict=False)
    return report


def load_release_weights(model: nn.Module, release: Release, emotions: Emotions) -> LoadReport:
    """Load a release into the model it was saved from; everything must fit.

    Args:
        model: changed in place.
        release: see ``load_release``.
        emotions: the label set that the model is built for.

    Raises:
        UserError: another label set (both are named), or any tensor that is missing, left over or of another shape. The
            model is untouched.
    """
    if release.emotions != emotions:
        raise UserError(
            f"load_release_weights: the release predicts {_described(release.emotions)}, the model is built for "
            f"{_described(emotions)}; set emotions.name={release.emotions.name}, or start a training from the file "
            "with train.init_checkpoint, which gives the model new heads."
        )
    own = model.state_dict()
    as_is = Converted(release.state_dict, {name: name for name in release.state_dict})
    fitting = _fitting(own, as_is)
    report = _report(own, as_is, fitting, release.state_dict)
    if report.reinitialised or report.missing or report.unexpected:
        raise UserError(
            "load_release_weights: the release does not fit the model; build the model from the release's own config.\n"
            + report.summary()
        )
    model.load_state_dict(fitting, strict=False)
    return report


def _candidates(state_dict: Mapping[str, Tensor]) -> Iterator[Converted]:
    for reading in readings(state_dict):
        for prefix in _PREFIXES:
            yield Converted(
                {prefix + name: tensor for name, tensor in reading.state_dict.items()},
                {prefix + name: source for name, source in reading.sources.items()},
            )
        yield Converted(
            {name.removeprefix("host."): tensor for name, tensor in reading.state_dict.items()},
            {name.removeprefix("host."): source for name, source in reading.sources.items()},
        )


def _fitting(own: Mapping[str, Tensor], candidate: Converted) -> dict[str, Tensor]:
    weights = candidate.state_dict
    return {name: weights[name] for name in own if name in weights and weights[name].shape == own[name].shape}


def _report(
    own: Mapping[str, Tensor], candidate: Converted, fitting: Mapping[str, Tensor], state_dict: Mapping[str, Tensor]
) -> LoadReport:
    weights, sources = candidate.state_dict, candidate.sources
    mismatched = [name for name in own if name in weights and name not in fitting]
    owner = tied_names(own)
    filled = {owner.get(name, name) for name in fitting}
    return LoadReport(
        format=detect_format(state_dict),
        loaded=tuple(fitting),
        renamed={name: sources[name] for name in fitting if sources[name] != name},
        reinitialised=tuple(Mismatch(n, tuple(own[n].shape), tuple(weights[n].shape)) for n in mismatched),
        missing=tuple(n for n in own if n not in weights and owner.get(n, n) not in filled),
        unexpected=tuple(sources[name] for name in weights if name not in own),
    )


def _too_few(report: LoadReport, own: Iterable[str], found: Iterable[str]) -> str:
    return (
        f"load_weights: only {len(report.loaded)} of the file's tensors fit the model "
        f"({len(report.reinitialised)} more have another shape); the file looks like {FORMATS[report.format]}. "
        f"The model expects names such as {_few(own)}; the file has {_few(found)}. "
        "Give a checkpoint of the same detector, backbone and size."
    )


def _few(names: Iterable[str]) -> str:
    """Three names, spread over the whole list: the first ones of a detector are all backbone."""
    known = list(names)
    chosen = dict.fromkeys(known[i] for i in (0, len(known) // 2, -1)) if known else {}
    return ", ".join(chosen) or "none"


def _described(emotions: Emotions) -> str:
    kind = type(emotions).__name__.removesuffix("Emotions")
    return f"{emotions.name!r} ({kind}, {emotions.num_emotions}: {', '.join(emotions.names)})"


def _example_of_renaming(renamed: Mapping[str, str]) -> str:
    for name, source in renamed.items():
        return f"e.g. {source} -> {name}"
    return ""


def _folded(names: Iterable[str]) -> str:
    """Names with their layer numbers folded to ``#``, the most frequent first, at most six."""
    groups = Counter(re.sub(r"\.\d+(?=\.)", ".#", name) for name in names)
    shown = [f"{name} x{count}" if count > 1 else name for name, count in groups.most_common(6)]
    return ", ".join(shown) + (f" and {len(groups) - 6} more" if len(groups) > 6 else "")
