"""Under which names does a file fit a model? Every reading of the file is tried at every place it may belong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from torch import Tensor

from dsct_detrex.weights.convert import Converted, readings
from dsct_detrex.weights.formats import detect_format
from dsct_detrex.weights.report import LoadReport, Mismatch
from dsct_detrex.weights.signatures import likely_host
from dsct_detrex.weights.tying import tied_names

_PREFIXES = ("", "host.", "backbone.", "host.backbone.", "backbone.body.", "host.backbone.body.")
"""Where a file's tensors may sit: at the top, in the host of a DSCT model, in a backbone of either naming."""
_RELATIVES_SHARE = 0.95
"""DAB-DETR fills DN-DETR to 0.99; Deformable-DETR fills DINO to 0.89, in all but the feed-forwards."""


@dataclass(frozen=True)
class Match:
    """A file read against a model.

    Attributes:
        fitting: model name -> tensor of the file, of the model's shape.
        report: what became of the rest.
        share: the part that fits of the tensors of file or model, whichever are fewer; where the file has more than a
            backbone, that of everything but the backbone if it is lower, for a backbone alone makes no detector.
    """

    fitting: dict[str, Tensor]
    report: LoadReport
    share: float

    def enough(self, min_matched: float) -> bool:
        """Whether so much fits that the rest may be called a misfit.

        All detectors share the names of norms and feed-forwards, so another host's file has to fit better than by that:
        a relative's does (DAB-DETR in DN-DETR).
        """
        least = max(min_matched, _RELATIVES_SHARE) if self.report.hosts_differ() else min_matched
        return bool(self.fitting) and self.share >= least


def match(own: Mapping[str, Tensor], state_dict: Mapping[str, Tensor]) -> Match:
    """Find the reading and the place under which most tensors fit.

    Args:
        own: state dict of the model, on any device; ``keep_vars=True`` tells ties on the meta device too.
        state_dict: of the file, under its own names.
    """
    candidate = max(_candidates(state_dict), key=lambda c: (len(fitting(own, c)), len(own.keys() & c.state_dict)))
    found = fitting(own, candidate)
    shares = [_share(len(found), len(own), len(candidate.state_dict))]
    beside = [sum(not _in_backbone(name) for name in names) for names in (found, own, candidate.state_dict)]
    if beside[2]:
        shares.append(_share(*beside))
    return Match(found, report(own, candidate, state_dict), min(shares))


def fitting(own: Mapping[str, Tensor], candidate: Converted) -> dict[str, Tensor]:
    """Tensors of a reading that have the name and the shape of one of the model's."""
    weights = candidate.state_dict
    return {name: weights[name] for name in own if name in weights and weights[name].shape == own[name].shape}


def report(own: Mapping[str, Tensor], candidate: Converted, state_dict: Mapping[str, Tensor]) -> LoadReport:
    """What loading a reading into the model would do to every tensor."""
    weights, sources, found = candidate.state_dict, candidate.sources, fitting(own, candidate)
    owner = tied_names(own)
    filled = {owner.get(name, name) for name in found}
    return LoadReport(
        format=detect_format(state_dict),
        loaded=tuple(found),
        renamed={name: sources[name] for name in found if sources[name] != name},
        reinitialised=tuple(
            Mismatch(n, tuple(own[n].shape), tuple(weights[n].shape)) for n in own if n in weights and n not in found
        ),
        missing=tuple(n for n in own if n not in weights and owner.get(n, n) not in filled),
        unexpected=tuple(sources[name] for name in weights if name not in own),
        file_host=likely_host(weights),
        model_host=likely_host(own),
    )


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


def _share(found: int, own: int, given: int) -> float:
    return found / max(1, min(own, given))


def _in_backbone(name: str) -> bool:
    return name.startswith(("backbone.", "host.backbone."))
