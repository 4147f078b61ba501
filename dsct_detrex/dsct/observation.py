"""An observation: what a forward pass looked at, recorded while it runs and returned beside its results.

``DSCT.observe(images)`` is ``DSCT.decode(images)`` with forward hooks on the backbone, the decoder and what lies in its
layers, for the duration of that call. Hooks only read: the layers that come back are those of ``decode``, bit for bit,
rewritten or not, and nothing stays on a module, neither tensors nor hooks, also when the call fails.

    seen = model.observe([picture])                                     # (3, h, w) RGB 0-255
    seen.layers[-1].aggregation.weights                                 # (B, N, M): who took in what
    seen.places[-1]                                                     # (B, Q, 2): where all queries are
    seen.sampling[-1].locations[:, seen.num_contexts :]                 # of the subjects, or seen.no_sampling says why
    seen.features.maps                                                  # (B, C, h, w)

Sampling points are computed once more from what enters an attention, by its own two projections. That is exact where
the attention runs plain; a rewrite of it, which takes both projections as one product, rounds otherwise (1e-6).

Shapes: B images, M contexts, N subjects, Q = M + N queries (contexts first), L layers, C channels, H heads, V levels,
P points.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from dsct_detrex.dsct.choices import Places
from dsct_detrex.dsct.decoder import LayerOutput, SubjectContextDecoder
from dsct_detrex.ops.fused import attention_weights, sampling_locations


@dataclass(frozen=True)
class Sampling:
    """Where the deformable cross-attention of one decoder layer sampled the memory, and how much each sample counted.

    Attributes:
        locations: (B, Q, H, V, P, 2) xy, [0, 1] is the unpadded image; points may lie outside, where there is nothing.
        weights: (B, Q, H, V, P), of sum 1 over the V * P points of a head.
    """

    locations: Tensor
    weights: Tensor


@dataclass(frozen=True)
class Features:
    """The last stage of the backbone that the host reads.

    Attributes:
        name: of the stage, as the backbone calls it, e.g. ``res5``.
        maps: (B, C, h, w), of the padded batch.
        shares: (B, 2) xy, the part of the map's width and height, from the upper left, that lies over the image itself.
    """

    name: str
    maps: Tensor
    shares: Tensor


@dataclass(frozen=True)
class Observation:
    """What ``DSCT.observe`` returns. No gradient flows to what it has besides ``layers``.

    Attributes:
        layers: L outputs, those of ``DSCT.decode``.
        places: L tensors (B, Q, 2) xy in [0, 1] of the unpadded image, between which the layer measured distances
            (Eq. 6); None for a layer that does not fuse, or takes in no contexts.
        sampling: of all queries, one for each layer; None where the host has no sampling points.
        no_sampling: why not, as a sentence; empty where there are.
        features: of the backbone.
    """

    layers: list[LayerOutput]
    places: list[Tensor | None]
    sampling: list[Sampling] | None
    no_sampling: str
    features: Features

    @property
    def num_contexts(self) -> int:
        """M; 0 where a model uses none."""
        return self.layers[0].contexts.shape[1]


@contextmanager
def watched(decoder: SubjectContextDecoder) -> Iterator[Passing]:
    """Within the block, one call of a model with this decoder is seen; the hooks go with the block."""
    passing, adapter = Passing(decoder), decoder.adapter
    with ExitStack() as hooks:
        hooks.enter_context(adapter.host.backbone.register_forward_hook(passing.left_backbone))
        hooks.enter_context(decoder.register_forward_pre_hook(passing.entered_decoder))
        for index, (base, layer) in enumerate(zip(adapter.layers, decoder.layers, strict=True)):
            attention = sampling_attention(base)
            if attention is not None:
                enter = partial(passing.entered_attention, index)
                hooks.enter_context(attention.register_forward_pre_hook(enter, with_kwargs=True))
            if isinstance(layer.aggregation, nn.Module):
                hooks.enter_context(layer.aggregation.register_forward_pre_hook(partial(passing.entered_fusion, index)))
        yield passing


def sampling_attention(layer: Any) -> Any:
    """The cross-attention of a host's decoder layer where it samples points, embedded or live; else None."""
    attentions = getattr(layer, "attentions", None)
    cross_attention = attentions[-1] if attentions else None
    parts = (getattr(cross_attention, name, None) for name in ("sampling_offsets", "attention_weights"))
    return cross_attention if all(isinstance(part, nn.Linear) for part in parts) else None


@dataclass
class Passing:
    """What passed the hooks, each a method here."""

    decoder: SubjectContextDecoder
    backbone_input: Tensor | None = None
    maps: Any = None
    inputs: dict[str, Any] = field(default_factory=dict)
    sampled: dict[int, Sampling] = field(default_factory=dict)
    fused_at: dict[int, Places] = field(default_factory=dict)

    def left_backbone(self, _: nn.Module, args: tuple[Any, ...], maps: Any) -> None:
        self.backbone_input, self.maps = args[0].detach(), maps

    def entered_decoder(self, _: nn.Module, args: tuple[Any, ...]) -> None:
        self.inputs = args[0]

    def entered_fusion(self, index: int, _: nn.Module, args: tuple[Any, ...]) -> None:
        self.fused_at[index] = args[1]

    @torch.no_grad()
    def entered_attention(self, index: int, attention: Any, args: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        query, position = args[0], keywords["query_pos"]
        query = query if position is None else query + position
        query = query if attention.batch_first else query.transpose(0, 1)
        grid = (*query.shape[:2], attention.num_heads, attention.num_levels, attention.num_points)
        offsets = attention.sampling_offsets(query).view(*grid, 2)
        logits = attention.attention_weights(query).view(grid)
        padded = sampling_locations(keywords["reference_points"], offsets, keywords["spatial_shapes"])
        ratios = self.inputs["valid_ratios"][:, None, None, :, None]  # (B, 1, 1, V, 1, 2)
        self.sampled[index] = Sampling(padded / ratios, attention_weights(logits))

    def observation(self, layers: list[LayerOutput], images: Sequence[Tensor]) -> Observation:
        """What was seen of the call that returned ``layers`` for ``images``."""
        sampling = [self.sampled[index] for index in sorted(self.sampled)]
        sampled = len(sampling) == len(layers)
        return Observation(
            layers=layers,
            places=[self._places(index) for index in range(len(layers))],
            sampling=sampling if sampled else None,
            no_sampling=""
            if sampled
            else f"{self.decoder.adapter.kind} has no sampling points: its queries attend to the whole feature map.",
            features=self._features(images),
        )

    def _places(self, index: int) -> Tensor | None:
        places = self.fused_at.get(index)
        if places is None or self.decoder.distance_frame == "unpadded":
            return None if places is None else places.points
        return places.points / self.inputs["valid_ratios"][:, None, 0]

    def _features(self, images: Sequence[Tensor]) -> Features:
        assert self.backbone_input is not None
        name, last = _last_stage(self.decoder.adapter.host, self.maps)
        height, width = self.backbone_input.shape[-2:]
        shares = [(image.shape[-1] / width, image.shape[-2] / height) for image in images]
        return Features(name, last.detach(), torch.tensor(shares))


def _last_stage(host: Any, maps: Mapping[str, Tensor]) -> tuple[str, Tensor]:
    """Name and map of the stage that the host, or its neck, reads last."""
    reader = getattr(host, "neck", host)
    names = getattr(reader, "in_features", None) or list(maps)
    return str(names[-1]), maps[names[-1]]
