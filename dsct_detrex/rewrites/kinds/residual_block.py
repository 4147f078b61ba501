"""A residual block as its convolutions alone: norms folded in, ReLUs and the final sum part of the last passes.

``relu(shortcut(x) + branch(x))`` with two or three convolutions in the branch, in the three dialects in which
backbones are written: norms below their convolutions (embedded, detectron2), or beside them (torchvision).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from torch import Tensor, nn

from dsct_detrex.rewrites.convolution import Convolution, fold, foldable
from dsct_detrex.rewrites.kinds.frozen_norm import holds_still
from dsct_detrex.rewrites.rewrite import Rewrite

_NORMS_BELOW = (["conv1", "conv2"], ["conv1", "conv2", "conv3"])
_NORMS_BESIDE = (
    ["conv1", "bn1", "relu", "conv2", "bn2"],
    ["conv1", "bn1", "conv2", "bn2", "conv3", "bn3", "relu"],
)
"""Children in the order of their making, which tells these blocks from those that normalise before they convolve."""

_Pair = tuple[Any, Any]


class Block(NamedTuple):
    """The convolutions of a block.

    Attributes:
        shortcut: None where the input is added as it is.
        branch: in the order of use.
    """

    shortcut: Convolution | None
    branch: list[Convolution]


class ResidualBlock(Rewrite):
    """Shapes as of the block."""

    name = "residual_block"
    trains = True

    @classmethod
    def fits(cls, module: nn.Module) -> bool:
        pairs = _pairs(module)
        return pairs is not None and all(foldable(*pair) for pair in pairs if pair is not None)

    def suits(self, x: Tensor) -> bool:
        return x.numel() > 0 and all(holds_still(pair[1]) for pair in self._pairs() if pair is not None)

    def prepare(self) -> Block:
        shortcut, *branch = self._pairs()
        assert all(pair is not None for pair in branch)
        return Block(shortcut and fold(*shortcut), [fold(*pair) for pair in branch if pair is not None])

    def fast(self, prepared: Block, x: Tensor) -> Tensor:
        identity = x if prepared.shortcut is None else prepared.shortcut(x)
        *first, last = prepared.branch
        for convolution in first:
            x = convolution(x, relu=True)
        return last.onto(identity, x, keep=prepared.shortcut is None)

    def _pairs(self) -> list[_Pair | None]:
        pairs = _pairs(self.module)
        assert pairs is not None, "a block that fits"
        return pairs


def _pairs(block: nn.Module) -> list[_Pair | None] | None:
    """(convolution, norm) of the shortcut, or None, and of each convolution of the branch; None for other modules."""
    children = dict(block.named_children())
    outside: Any = children.pop("shortcut", None) or children.pop("downsample", None)
    names = list(children)
    if names in _NORMS_BELOW and hasattr(block, "shortcut"):
        return [outside and _with_norm(outside), *(_with_norm(children[name]) for name in names)]
    if names in _NORMS_BESIDE and hasattr(block, "downsample") and isinstance(children["relu"], nn.ReLU):
        count = sum(name.startswith("conv") for name in names)
        branch = [(children[f"conv{i}"], children[f"bn{i}"]) for i in range(1, count + 1)]
        return [outside and _in_a_row(outside), *branch]
    return None


def _with_norm(conv: nn.Module) -> _Pair:
    """A convolution that does nothing but convolve and normalise, else one that cannot be folded."""
    plain = getattr(conv, "activation", None) is None
    return (conv, getattr(conv, "norm", None)) if plain else (None, None)


def _in_a_row(modules: nn.Module) -> _Pair:
    """A convolution and a norm that follow each other, else what cannot be folded."""
    pair = tuple(modules.children()) if isinstance(modules, nn.Sequential) else ()
    return (pair[0], pair[1]) if len(pair) == 2 else (None, None)


REWRITES = (ResidualBlock,)
