"""The recipe of a frozen network: one of torchvision's architectures, which of its maps, and a file of weights.

Nothing is downloaded. Files that fit: torchvision's own state dicts, Places365's (``{"state_dict": {"module...."}}``,
365 classes whose classifier is not read), and either as safetensors.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import ClassVar, Final

from torch import Tensor, nn
from torchvision.models import get_model_builder, list_models
from torchvision.models.feature_extraction import create_feature_extractor

from dsct_detrex.errors import UserError
from dsct_detrex.modalities.frozen_trunk import FrozenTrunk
from dsct_detrex.suggestions import did_you_mean
from dsct_detrex.weights import read_checkpoint

_PLACES: Final = ("", "backbone.")
"""Where a file has the trunk: alone, or below the head that segmentation and detection networks add to it."""


class FrozenNetwork:
    """Cheap until ``build``; a config may hold many that no run uses.

    Args:
        architecture: a name of ``torchvision.models.list_models()``. Of networks with a ``backbone`` only that is kept,
            without segmentation, box or mask heads.
        layers: names of submodules whose outputs are the maps; what no map needs, such as a classifier, is dropped.
            None: the maps that the backbone returns by itself, as a feature pyramid does.
        weights: a file that holds every tensor of the trunk. None: random, unless a checkpoint of the whole model fills
            them.
    """

    reads_files: ClassVar = ("weights",)

    def __init__(
        self, architecture: str, layers: Sequence[str] | None = None, weights: str | Path | None = None
    ) -> None:
        self.architecture = architecture
        self.layers = None if layers is None else tuple(layers)
        self.weights = weights

    def build(self, name: str) -> FrozenTrunk:
        """The trunk, frozen and in evaluation mode.

        Args:
            name: of the modality, for messages.

        Raises:
            UserError: no such architecture or layer, what it returns are no maps, or the file lacks tensors of it.
        """
        whole = f"{name} ({self.architecture})"
        base = self._base(name)
        trunk = base if self.layers is None else self._up_to_layers(base, self.layers, whole)
        if self.weights is not None and not next(base.parameters()).is_meta:
            _fill(base, trunk.state_dict(), Path(self.weights), whole)
        return FrozenTrunk(trunk, whole, is_random=self.weights is None)

    def _base(self, name: str) -> nn.Module:
        """The network without the heads that stand behind its backbone."""
        known = list_models()
        if self.architecture not in known:
            raise UserError(
                f"FrozenNetwork(architecture=) of {name} expects a name of torchvision.models.list_models(). "
                f"Got {self.architecture!r}.{did_you_mean(self.architecture, known)}"
            )
        builder = get_model_builder(self.architecture)
        blank = {"weights": None, "weights_backbone": None}  # the latter would be downloaded
        accepted = inspect.signature(builder).parameters
        network: nn.Module = builder(**{key: value for key, value in blank.items() if key in accepted})
        base: nn.Module = getattr(network, "backbone", network)
        return base.eval()

    def _up_to_layers(self, base: nn.Module, layers: Sequence[str], whole: str) -> nn.Module:
        known = [path for path, _ in base.named_modules() if path]
        for layer in layers:
            if layer not in known:
                raise UserError(
                    f"FrozenNetwork(layers=) of {whole} expects names of its submodules. Got {layer!r}."
                    f"{did_you_mean(layer, known)}"
                )
        trunk: nn.Module = create_feature_extractor(base, list(layers)).eval()
        return trunk


def _fill(base: nn.Module, needed: Collection[str], path: Path, whole: str) -> None:
    """Load a file into ``base``; all of ``needed`` must be in it.

    torchvision's own modules translate the names of its older files while they load, hence ``load_state_dict``.
    """
    if not path.is_file():
        raise UserError(
            f"FrozenNetwork(weights=) of {whole} expects a file of weights. There is none at {path}. Nothing is "
            "downloaded: fetch it and give its path, or null where a checkpoint of the whole model brings the weights."
        )
    found = read_checkpoint(path).state_dict
    own = base.state_dict()
    tensors = max((_below(place, found) for place in _PLACES), key=lambda tensors: len(own.keys() & tensors.keys()))
    fitting = {key: tensor for key, tensor in tensors.items() if key not in own or own[key].shape == tensor.shape}
    absent = set(base.load_state_dict(fitting, strict=False).missing_keys)
    missing = [key for key in needed if key in absent]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise UserError(
            f"FrozenNetwork(weights=) of {whole} expects a file with all {len(needed)} tensors of the trunk. {path} "
            f"lacks {missing[0]}{more}, or has them in another shape; it holds {next(iter(found))} and so on. Give a "
            "file of this architecture, or name the file's architecture."
        )


def _below(place: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {key.removeprefix(place): tensor for key, tensor in tensors.items() if key.startswith(place)}
