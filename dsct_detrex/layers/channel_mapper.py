"""The neck: backbone maps of several widths become feature levels of one width.

Source: Deformable DETR, arXiv:2010.04159, appendix; names as in ``detrex.modeling.neck.ChannelMapper``.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True)
class ShapeSpec:
    """What is known of a feature map before it exists: channels, size and stride in pixels. As detectron2's."""

    channels: int | None = None
    height: int | None = None
    width: int | None = None
    stride: int | None = None


class ConvNormAct(nn.Module):
    """Convolution, then norm and activation where given. The norm and activation are used as they are."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 1,
        stride: int = 1,
        padding: int = 0,
        dilation: int = 1,
        groups: int = 1,
        bias: bool = True,
        norm_layer: nn.Module | None = None,
        activation: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias)
        self.norm = norm_layer
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) to (B, out_channels, H', W')."""
        x = self.conv(x)
        if self.norm is not None:
            x = self.norm(x)
        return x if self.activation is None else self.activation(x)


class ChannelMapper(nn.Module):
    """One convolution for each backbone map, then extra stride-2 levels on top of the last one.

    The first extra level reads the last *backbone* map, each later one the extra level before it.

    Args:
        input_shapes: name of each backbone map to something with ``.channels``.
        in_features: names of the maps to use, finest first.
        out_channels: of every level.
        kernel_size, stride, bias, groups, dilation: of the convolutions of backbone maps.
        norm_layer: copied for each convolution.
        activation: copied for each convolution.
        num_outs: number of levels; as many as ``input_shapes`` if None.
    """

    def __init__(
        self,
        input_shapes: Mapping[str, ShapeSpec],
        in_features: Sequence[str],
        out_channels: int,
        kernel_size: int = 3,
        stride: int = 1,
        bias: bool = True,
        groups: int = 1,
        dilation: int = 1,
        norm_layer: nn.Module | None = None,
        activation: nn.Module | None = None,
        num_outs: int | None = None,
    ) -> None:
        super().__init__()

        def block(in_channels: int, kernel_size: int, stride: int, padding: int) -> ConvNormAct:
            norm, act = copy.deepcopy(norm_layer), copy.deepcopy(activation)
            return ConvNormAct(
                in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, norm, act
            )

        self.in_features = tuple(in_features)
        self.out_channels = out_channels
        widths = [_channels_of(input_shapes, name) for name in self.in_features]
        self.convs = nn.ModuleList(block(width, kernel_size, stride, (kernel_size - 1) // 2) for width in widths)
        num_extra = (len(input_shapes) if num_outs is None else num_outs) - len(widths)
        extra_widths = [widths[-1], *[out_channels] * (num_extra - 1)] if num_extra > 0 else []
        self.extra_convs = nn.ModuleList(block(width, 3, 2, 1) for width in extra_widths)

    def forward(self, inputs: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
        """Map name to (B, channels, H, W); returns ``num_outs`` levels (B, out_channels, H_l, W_l), finest first."""
        maps = [inputs[name] for name in self.in_features]
        levels = [conv(x) for conv, x in zip(self.convs, maps)]
        coarsest = maps[-1]
        for conv in self.extra_convs:
            coarsest = conv(coarsest)
            levels.append(coarsest)
        return tuple(levels)


def _channels_of(input_shapes: Mapping[str, ShapeSpec], name: str) -> int:
    channels = input_shapes[name].channels if name in input_shapes else None
    if channels is None:
        known = ", ".join(input_shapes) or "none"
        raise ValueError(f"ChannelMapper(input_shapes=) expects the channels of {name!r}. It knows: {known}.")
    return channels
