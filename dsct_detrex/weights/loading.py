"""Weights into a model: find under which names a file fits, load what fits, and say what happened to the rest.

``load_weights`` starts a training from another model's weights (a COCO host, an ImageNet backbone, another data set's
heads), where misfits are normal and reported. ``load_release_weights`` restores our own model, where a misfit is an
error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from torch import Tensor, nn

from dsct_detrex.errors import UserError
from dsct_detrex.structures import Emotions
from dsct_detrex.weights.convert import Converted
from dsct_detrex.weights.matching import fitting, match, report
from dsct_detrex.weights.release import Release
from dsct_detrex.weights.report import LoadReport
from dsct_detrex.weights.signatures import HOSTS

_COUNT = ".num_batches_tracked"
"""Of batches that a batch norm has seen: a frozen one has none, and with a momentum no number is made of it."""


def load_weights(model: nn.Module, state_dict: Mapping[str, Tensor], *, min_matched: float = 0.5) -> LoadReport:
    """Load whatever fits of a foreign or older state dict.

    The names are converted (``convert``) and tried at the top of the model, under ``host.`` and in its backbone, and a
    DSCT file without its ``host.`` too; the reading under which most tensors fit wins.

    Args:
        model: changed in place; tensors are cast to its dtype and device.
        state_dict: e.g. of ``read_checkpoint``.
        min_matched: the least share of tensors that must fit, in [0, 1], of those in the file or in the model,
            whichever are fewer; of a detector's, the backbone left aside, too. 0.95 where file and model are different
            hosts.

    Raises:
        UserError: fewer fit; the message names the host that the file belongs to, or names of both sides. The model is
            untouched.
    """
    own = model.state_dict(keep_vars=True)
    found = match(own, state_dict)
    if not found.enough(min_matched):
        raise UserError(too_few("load_weights", found.report, own, state_dict))
    model.load_state_dict(found.fitting, strict=False)
    return found.report


def load_release_weights(model: nn.Module, release: Release, emotions: Emotions) -> LoadReport:
    """Load a release into the model it was saved from; everything must fit.

    A model that reads its own logits (it has ``emotions``) reads them at the release's temperature from then on.

    Args:
        model: changed in place.
        release: see ``load_release``.
        emotions: the label set that the model is built for.

    Raises:
        UserError: another label set (both are named), or any tensor that is missing, left over or of another shape;
            which norms were frozen in training makes no difference. The model is untouched.
    """
    if release.emotions != emotions:
        raise UserError(
            f"load_release_weights: the release predicts {_described(release.emotions)}, the model is built for "
            f"{_described(emotions)}; set emotions.name={release.emotions.name}, or start a training from the file "
            "with train.init_checkpoint, which gives the model new heads."
        )
    own = model.state_dict(keep_vars=True)
    of_one = {name for name in own.keys() ^ release.state_dict.keys() if name.endswith(_COUNT)}
    own, state = ({name: value[name] for name in value if name not in of_one} for value in (own, release.state_dict))
    as_is = Converted(state, {name: name for name in state})
    outcome = report(own, as_is, state)
    if outcome.reinitialised or outcome.missing or outcome.unexpected:
        raise UserError(
            "load_release_weights: the release does not fit the model; build the model from the release's own config.\n"
            + outcome.summary()
        )
    model.load_state_dict(fitting(own, as_is), strict=False)
    if isinstance(getattr(model, "emotions", None), Emotions):
        model.emotions = release.emotions  # type: ignore[assignment]
    return outcome


def too_few(who: str, outcome: LoadReport, own: Iterable[str], found: Iterable[str]) -> str:
    """The sentence for a file of which too little fits: the host it belongs to where that is the reason."""
    start = (
        f"{who}: only {len(outcome.loaded)} of the file's tensors fit the model "
        f"({len(outcome.reinitialised)} more have another shape); "
    )
    if outcome.hosts_differ() and outcome.file_host and outcome.model_host:
        return (
            f"{start}this looks like a {HOSTS[outcome.file_host]} checkpoint; the model is "
            f"{HOSTS[outcome.model_host]}: use host.name={outcome.file_host}, or a checkpoint of the model's host."
        )
    return (
        f"{start}the file looks like {outcome.source()}. "
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
