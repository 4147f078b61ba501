"""A network that only looks: it never trains, never leaves evaluation mode, and gives the maps that it makes.

Shapes: B images, C_i channels and H_i x W_i positions of map i.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.func import functional_call

from dsct_detrex.errors import UserError, reason_of

_PROBES: Final = ((96, 128), (160, 224))
"""Two picture sizes: what differs between their maps is space, what stays is channels."""


class FrozenTrunk(nn.Module):
    """Pixels in, maps out.

    Args:
        trunk: (B, 3, H, W) normalised pixels to a map or a mapping of maps (B, C_i, H_i, W_i), for pictures of any
            size.
        name: what messages call it.
        is_random: whether nothing has filled its weights yet.

    Attributes:
        channels: C_i of each map, in the order in which they come.
        is_random: as given; False once a state dict has filled every tensor, as that of a release or a checkpoint does.

    Raises:
        UserError: what the trunk makes are no maps.
    """

    def __init__(self, trunk: nn.Module, name: str, is_random: bool) -> None:
        super().__init__()
        self.trunk = trunk.requires_grad_(False)
        self.name = name
        self.is_random = is_random
        self.eval()
        self.channels = self._measured_channels()

    def train(self, mode: bool = True) -> FrozenTrunk:
        """Stay in evaluation mode, whatever the model around it does."""
        return super().train(False)

    @torch.no_grad()
    def forward(self, pixels: Tensor) -> list[Tensor]:
        """(B, 3, H, W) pixels, normalised with the mean and deviation of ImageNet, to its maps."""
        maps: list[Tensor] = _maps(self.trunk(pixels))
        return maps

    def _load_from_state_dict(self, state_dict: Mapping[str, Any], prefix: str, *args: Any) -> None:
        if all(prefix + name in state_dict for name in self.state_dict()):
            self.is_random = False
        super()._load_from_state_dict(state_dict, prefix, *args)

    def _measured_channels(self) -> tuple[int, ...]:
        """Run on the meta device, where it costs nothing."""
        own = chain(self.trunk.named_parameters(), self.trunk.named_buffers())
        shapes_only = {name: tensor.to("meta") for name, tensor in own}
        try:
            small, large = (
                _maps(functional_call(self.trunk, shapes_only, (torch.empty(1, 3, *size, device="meta"),)))
                for size in _PROBES
            )
        except Exception as error:  # a network that wants other inputs may raise anything
            reason = reason_of(error)
            raise self._no_maps(f"It fails on pictures of {_PROBES[0]} or {_PROBES[1]} pixels ({reason})") from error
        if not small:
            raise self._no_maps("It returns something else")
        for a, b in zip(small, large):
            if a.ndim != 4 or a.shape[1] != b.shape[1] or any(x == y for x, y in zip(a.shape[2:], b.shape[2:])):
                raise self._no_maps(f"It returns {tuple(a.shape)} for a picture of {_PROBES[0]} pixels")
        return tuple(x.shape[1] for x in small)

    def _no_maps(self, got: str) -> UserError:
        return UserError(
            f"FrozenNetwork(architecture=, layers=) of {self.name} expects maps (B, C, H, W) of pictures of any size. "
            f"{got}; name layers that make maps, or take another architecture."
        )


def _maps(output: Any) -> list[Tensor]:
    """The maps in what a trunk returns; none where it returns neither a map nor a mapping."""
    if isinstance(output, Tensor):
        return [output]
    return list(output.values()) if isinstance(output, Mapping) else []
