"""ResNet backbones under detectron2's names, so that weights of detrex and detectron2 load as they are.

The stride of a bottleneck sits in its 3x3 convolution (as in torchvision); ``width_per_group=128`` gives the
Wide-ResNets.

Source: He et al., arXiv:1512.03385; Zagoruyko and Komodakis, arXiv:1605.07146; names of ``detectron2.modeling.ResNet``.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from torch import Tensor, nn
from torchvision.ops import FrozenBatchNorm2d

from dsct_detrex.hosts.errors import HostConfigError
from dsct_detrex.layers.channel_mapper import ShapeSpec

# depth: blocks in res2, res3, res4, res5 (He et al., Table 1)
BLOCKS_PER_STAGE = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}
STAGES = ("res2", "res3", "res4", "res5")
NORMS = {"FrozenBN": FrozenBatchNorm2d, "BN": nn.BatchNorm2d}
STEM_CHANNELS = 64


class ConvNorm(nn.Conv2d):
    """Convolution without bias, followed by a norm that lives below it: keys ``weight`` and ``norm.*``."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, stride: int, norm: str) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding=kernel_size // 2, bias=False)
        self.norm = NORMS[norm](out_channels)
        nn.init.kaiming_normal_(self.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, input: Tensor) -> Tensor:
        """(B, in_channels, H, W) to (B, out_channels, H / stride, W / stride)."""
        out: Tensor = self.norm(super().forward(input))
        return out


class Stem(nn.Module):
    """The image at a quarter of its size: 7x7 convolution and max pooling, stride 2 each."""

    def __init__(self, in_channels: int, norm: str) -> None:
        super().__init__()
        self.conv1 = ConvNorm(in_channels, STEM_CHANNELS, 7, 2, norm)

    def forward(self, images: Tensor) -> Tensor:
        """(B, in_channels, H, W) to (B, 64, H / 4, W / 4)."""
        return nn.functional.max_pool2d(self.conv1(images).relu_(), kernel_size=3, stride=2, padding=1)


class ResidualBlock(nn.Module, ABC):
    """``relu(shortcut(x) + branch(x))``; the shortcut projects only where the number of channels changes."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, norm: str) -> None:
        super().__init__()
        self.shortcut = ConvNorm(in_channels, out_channels, 1, stride, norm) if in_channels != out_channels else None

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) to (B, out_channels, H / stride, W / stride)."""
        identity = x if self.shortcut is None else self.shortcut(x)
        return (self.branch(x) + identity).relu_()

    @abstractmethod
    def branch(self, x: Tensor) -> Tensor:
        """What the block adds to its shortcut."""


class BasicBlock(ResidualBlock):
    """Two 3x3 convolutions (ResNet-18 and -34)."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, norm: str) -> None:
        super().__init__(in_channels, out_channels, stride, norm)
        self.conv1 = ConvNorm(in_channels, out_channels, 3, stride, norm)
        self.conv2 = ConvNorm(out_channels, out_channels, 3, 1, norm)

    def branch(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv2(self.conv1(x).relu_())
        return out


class Bottleneck(ResidualBlock):
    """1x1, 3x3, 1x1 convolutions (ResNet-50 and deeper); ``width`` channels in the middle."""

    def __init__(self, in_channels: int, out_channels: int, stride: int, norm: str, width: int) -> None:
        super().__init__(in_channels, out_channels, stride, norm)
        self.conv1 = ConvNorm(in_channels, width, 1, 1, norm)
        self.conv2 = ConvNorm(width, width, 3, stride, norm)
        self.conv3 = ConvNorm(width, out_channels, 1, 1, norm)

    def branch(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv3(self.conv2(self.conv1(x).relu_()).relu_())
        return out


class ResNet(nn.Module):
    """Feature maps of an image at strides 4 to 32. Stages behind the last wanted one are not built.

    Args:
        depth: 18, 34, 50, 101 or 152.
        width_per_group: 64; 128 for the Wide-ResNets (50, 101).
        out_features: wanted maps, of "stem", "res2", ..., "res5".
        freeze_at: number of leading parts (stem, res2, ...) whose weights are fixed; their norms are frozen ones.
        in_channels: of the images.
        norm: "FrozenBN", statistics and scales as buffers, for pretrained weights; "BN" for training from scratch.

    Attributes:
        channels: name of each wanted map to its number of channels.
        strides: name of each wanted map to its stride in pixels.

    Raises:
        HostConfigError: an unknown depth, norm or map, more frozen parts than there are, or a width that the
            depth does not have.
    """

    def __init__(
        self,
        depth: int = 50,
        width_per_group: int = 64,
        out_features: Sequence[str] = ("res3", "res4", "res5"),
        freeze_at: int = 1,
        norm: str = "FrozenBN",
        in_channels: int = 3,
    ) -> None:
        super().__init__()
        self.out_features = tuple(out_features)
        _check(depth, width_per_group, self.out_features, norm)
        if not 0 <= freeze_at <= len(STAGES) + 1:
            raise HostConfigError(f"ResNet(freeze_at=) expects 0 to {len(STAGES) + 1} parts. Got {freeze_at}.")
        norms = ["FrozenBN" if part < freeze_at else norm for part in range(len(STAGES) + 1)]
        self.stem = Stem(in_channels, norms[0])
        self.stage_names = STAGES[: max(("stem", *STAGES).index(name) for name in self.out_features)]
        width_in = STEM_CHANNELS
        for name, stage_norm in zip(self.stage_names, norms[1:]):
            self.add_module(name, _make_stage(depth, name, width_in, width_per_group, stage_norm))
            width_in = _channels(depth, name)
        self.channels = {name: _channels(depth, name) for name in self.out_features}
        self.strides = {name: _stride(name) for name in self.out_features}
        for part in ("stem", *self.stage_names)[:freeze_at]:
            self.get_submodule(part).requires_grad_(False)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """(B, in_channels, H, W) normalised images to the wanted maps, each (B, channels, H / stride, W / stride)."""
        x = self.stem(images)
        maps = {"stem": x}
        for name in self.stage_names:
            maps[name] = x = self.get_submodule(name)(x)
        return {name: maps[name] for name in self.out_features}

    def output_shape(self) -> dict[str, ShapeSpec]:
        """Channels and stride of each wanted map, as a neck's ``input_shapes`` wants them."""
        return {name: ShapeSpec(self.channels[name], stride=self.strides[name]) for name in self.out_features}


def resnet_shapes(depth: int, names: Sequence[str] = ("res3", "res4", "res5")) -> dict[str, ShapeSpec]:
    """``output_shape()`` of a ResNet that is not built yet, for a neck's ``input_shapes`` in a config.

    Args:
        depth: as of ``ResNet``.
        names: wanted maps.

    Raises:
        HostConfigError: an unknown depth or map.
    """
    _check(depth, 64, tuple(names), "FrozenBN")
    return {name: ShapeSpec(_channels(depth, name), stride=_stride(name)) for name in names}


def resnet_channels(depth: int, names: Sequence[str] = ("res5",)) -> int:
    """Channels of the last of the named maps of a ResNet that is not built yet, for a host's ``in_channels``.

    Args:
        depth: as of ``ResNet``.
        names: wanted maps.

    Raises:
        HostConfigError: an unknown depth or map.
    """
    _check(depth, 64, tuple(names), "FrozenBN")
    return _channels(depth, names[-1])


def _channels(depth: int, part: str) -> int:
    """Output channels of the stem or a stage."""
    return STEM_CHANNELS if part == "stem" else (64 << STAGES.index(part)) * (1 if depth < 50 else 4)


def _stride(part: str) -> int:
    """Stride in pixels of the output of the stem or a stage."""
    return 4 if part == "stem" else 4 << STAGES.index(part)


def _make_stage(depth: int, name: str, in_channels: int, width_per_group: int, norm: str) -> nn.Sequential:
    """The blocks of one stage; the first one changes width and, from res3 on, halves the map."""
    index, out_channels = STAGES.index(name), _channels(depth, name)
    blocks = nn.Sequential()
    for i in range(BLOCKS_PER_STAGE[depth][index]):
        stride = 2 if i == 0 and index > 0 else 1
        if depth < 50:
            blocks.append(BasicBlock(in_channels, out_channels, stride, norm))
        else:
            blocks.append(Bottleneck(in_channels, out_channels, stride, norm, width=width_per_group << index))
        in_channels = out_channels
    return blocks


def _check(depth: int, width_per_group: int, out_features: tuple[str, ...], norm: str) -> None:
    if depth not in BLOCKS_PER_STAGE:
        raise HostConfigError(f"ResNet(depth=) expects one of {tuple(BLOCKS_PER_STAGE)}. Got {depth}.")
    if width_per_group < 1 or (depth < 50 and width_per_group != 64):
        raise HostConfigError(
            f"ResNet(width_per_group=) expects 64 at depth {depth}, or any positive width from depth 50 on. "
            f"Got {width_per_group}."
        )
    if not out_features or not set(out_features) <= {"stem", *STAGES}:
        raise HostConfigError(f"ResNet(out_features=) expects names of {('stem', *STAGES)}. Got {out_features}.")
    if norm not in NORMS:
        raise HostConfigError(f"ResNet(norm=) expects one of {tuple(NORMS)}. Got {norm!r}.")
