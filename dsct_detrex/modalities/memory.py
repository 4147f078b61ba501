"""What frozen networks see, added to the memory that a host's decoder attends to.

Source: DSCT (arXiv:2404.17205), Table 13: multi-scale features of a scene, a semantic-segmentation and an instance
network as further modalities. How the paper joins them to its model is printed nowhere that we can read, and the
released code has none of it. Our reading: at every position of every level of the memory stand the features of *all*
maps of a network at that place (a hypercolumn, arXiv:1411.5752), each normalised over its channels and projected; the
sum is added to what the encoder put there. The encoder and the proposals of a first stage do not see it.

Projections start at zero, so a DSCT with modalities starts as exactly the DSCT without. Nothing depends on padding:
norms are those of single positions, and what lies under the padding has no part in the resizing.

Shapes: B images, C channels of the memory, C_i channels of a network's map i.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

import torch
from torch import Tensor, nn

from dsct_detrex.errors import UserError
from dsct_detrex.layers.levels import shrink_mask
from dsct_detrex.modalities.frozen_network import FrozenNetwork
from dsct_detrex.modalities.frozen_trunk import FrozenTrunk
from dsct_detrex.suggestions import did_you_mean

_LEAST_SHARE: Final = 1e-6
"""An unpadded position takes a good part of itself from unpadded ones; below this there are none."""

Extra = Callable[[tuple[int, int]], Tensor]
"""(height, width) of a level of the memory -> (B, height * width, C) to be added to it."""


class ModalityMemory(nn.Module):
    """Frozen networks and what turns their maps into memory.

    Building it leaves torch's random numbers as they were, so that the rest of a model starts equal with any ``use``.

    Args:
        embed_dim: C.
        use: names of the networks that are built and used; without any there are no parameters, and nothing changes.
        networks: the networks that are known, by name of the modality, which is free.

    Raises:
        UserError: ``use`` is a text or has a name that ``networks`` lacks, or a network cannot be built.
    """

    def __init__(self, embed_dim: int, use: Sequence[str] = (), **networks: FrozenNetwork) -> None:
        super().__init__()
        _check(use, networks)
        self._announced = False
        with torch.random.fork_rng(devices=[]):
            self.networks = nn.ModuleDict({name: networks[name].build(name) for name in use})
            self.projections = nn.ModuleDict(
                {name: _projections(trunk.channels, embed_dim) for name, trunk in self._trunks().items()}
            )

    def forward(self, pixels: Tensor, mask: Tensor) -> Extra | None:
        """Look at a batch.

        Args:
            pixels: (B, 3, H, W) normalised with the mean and deviation of ImageNet, zero where padded.
            mask: (B, H, W) bool, True = padding.

        Returns:
            What to add to a level of the memory of that batch; None where no network is in use.
        """
        if not self.networks:
            return None
        if self.training and not self._announced:
            self._announce_random()
        maps = []
        for name, trunk in self._trunks().items():
            maps += [project(x) for x, project in zip(trunk(pixels), self.projections[name])]  # type: ignore[call-overload]
        return partial(_sum_of_resized, maps, [shrink_mask(mask, x.shape[-2:]) for x in maps])

    def _announce_random(self) -> None:
        """Once, where a training starts: a model that is only to be filled from a release passes in silence."""
        self._announced = True
        for name, trunk in self._trunks().items():
            if trunk.is_random:
                warnings.warn(
                    f"ModalityMemory: the frozen network of {trunk.name} has random weights; give it some with "
                    f"model.modalities.{name}.weights=<file>.",
                    RuntimeWarning,
                    stacklevel=2,
                )

    def _trunks(self) -> dict[str, FrozenTrunk]:
        return {name: trunk for name, trunk in self.networks.items() if isinstance(trunk, FrozenTrunk)}


class MapProjection(nn.Linear):
    """Channels of every position normalised, then mapped; zero before training."""

    def __init__(self, channels: int, embed_dim: int) -> None:
        super().__init__(channels, embed_dim)
        nn.init.zeros_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        """(B, C_i, H_i, W_i) to (B, C, H_i, W_i)."""
        positions = nn.functional.layer_norm(input.permute(0, 2, 3, 1), (self.in_features,))
        return super().forward(positions).permute(0, 3, 1, 2)


def resize_unpadded(x: Tensor, padding: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize a map so that every position is a mean of unpadded ones: bilinear, antialiased where it shrinks.

    Args:
        x: (B, C, h, w).
        padding: (B, h, w) bool, True = padding.

    Returns:
        (B, C, *size), at least float32; zero where there is nothing but padding.
    """
    x = x.to(torch.promote_types(x.dtype, torch.float32)).masked_fill(padding[:, None], 0)
    if x.shape[-2:] == size:
        return x
    share = (~padding[:, None]).to(x.dtype)
    summed, share = (nn.functional.interpolate(each, size=size, mode="bilinear", antialias=True) for each in (x, share))
    return summed / share.clamp(min=_LEAST_SHARE)


def _sum_of_resized(maps: Sequence[Tensor], paddings: Sequence[Tensor], size: tuple[int, int]) -> Tensor:
    resized = (resize_unpadded(x, padding, size) for x, padding in zip(maps, paddings))
    return torch.stack(list(resized)).sum(0).flatten(2).transpose(1, 2)


def _projections(channels: Sequence[int], embed_dim: int) -> nn.ModuleList:
    return nn.ModuleList(MapProjection(count, embed_dim) for count in channels)


def _check(use: Sequence[str], networks: Mapping[str, FrozenNetwork]) -> None:
    if isinstance(use, str):
        raise UserError(f"ModalityMemory(use=) expects a list of names. Got the text {use!r}; write [{use}].")
    for name in use:
        if name not in networks:
            hint = did_you_mean(name, networks)
            raise UserError(f"ModalityMemory(use=) expects names of {', '.join(networks)}. Got {name!r}.{hint}")
