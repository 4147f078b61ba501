"""What the single-scale family shares: one map, sequence first, attention over all of it (detrex: projects/detr)."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor, nn

from dsct_detrex.dsct.adapters.base import HostAdapter, MemoryExtra, QueryState, add_once
from dsct_detrex.dsct.capture import capture_keywords
from dsct_detrex.dsct.subject_queries import QuerySpec, Subjects
from dsct_detrex.layers.levels import shrink_mask


class SingleScaleAdapter(HostAdapter):
    """Tensors are [Q, B, C]; of detrex's decoders only DETR's learns which keys are padding, here all do."""

    batch_first = False

    @classmethod
    def recognises(cls, host: nn.Module) -> bool:
        """Whether encoder and decoder read one map; which kind of decoder it is, every kind adds."""
        transformer = getattr(host, "transformer", None)
        decoder = getattr(transformer, "decoder", None)
        return (
            hasattr(host, "input_proj")
            and hasattr(transformer, "encoder")
            and hasattr(decoder, "post_norm_layer")
            and not hasattr(transformer, "level_embeds")
        )

    @property
    def query_spec(self) -> QuerySpec:
        """Here queries own a position and no anchor."""
        return QuerySpec(self.host.transformer.embed_dim, position=True, anchor_dim=0)

    def features(self, images: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, C, H, W) feature map, its (B, H, W) padding (True = padding) and (B, C, H, W) positions."""
        features = self.host.input_proj(self.host.backbone(images)[self.host.in_features[-1]])
        padding = shrink_mask(mask, features.shape[-2:])
        return features, padding, self.host.position_embedding(padding)

    def decoder_inputs(self, images: Tensor, mask: Tensor) -> dict[str, Any]:
        """The decoder's keywords, ``key_padding_mask`` where it forgets it, and ``memory_size``, (h, w) of the map."""
        features, padding, positions = self.features(images, mask)
        queries, *more = self.queries(images.shape[0])
        inputs = capture_keywords(
            self.decoder, lambda: self.host.transformer(features, padding, queries, positions, *more)
        )
        return {"key_padding_mask": padding.flatten(1), "memory_size": tuple(features.shape[-2:])} | inputs

    @abstractmethod
    def queries(self, batch_size: int) -> tuple[Any, ...]:
        """What the transformer takes between padding and positions, then what it takes behind them."""

    def add_to_memory(self, inputs: dict[str, Any], extra: MemoryExtra) -> dict[str, Any]:
        memory, (height, width) = inputs["value"], inputs["memory_size"]
        if len(memory) != height * width:
            raise ValueError(
                f"DSCT(modalities=) expects a host whose memory is a map. Got {len(memory)} tokens of {self.kind} for "
                f"a map of {height} x {width}: it samples its tokens, as PnP-DETR does."
            )
        added = extra((height, width)).transpose(0, 1).to(memory.dtype)
        return inputs | add_once(inputs, added)

    def step(self, index: int, state: QueryState, inputs: dict[str, Any]) -> dict[str, Any]:
        passed = ("key", "value", "key_pos", "key_padding_mask")
        return {name: inputs[name] for name in passed} | {"query_pos": state.position}

    def append(
        self, inputs: dict[str, Any], subjects: Subjects, contexts: Tensor, anchor: Tensor | None = None
    ) -> QueryState:
        """Contexts as captured, then the subjects.

        Args:
            contexts: (M, B, 0 | 2 | 4) references of the contexts.
            anchor: (B, N, 2 | 4) references of the subjects, None where there are none.
        """
        references = contexts.transpose(0, 1)
        start = references.new_zeros(references.shape[0], len(subjects), 0) if anchor is None else anchor
        references = torch.cat([references, start.to(references.dtype)], 1)
        position = subjects.position
        return QueryState(
            content=torch.cat([inputs["query"], subjects.content.transpose(0, 1)]),
            position=None if position is None else torch.cat([inputs["query_pos"], position.transpose(0, 1)]),
            reference=references,
            prediction_reference=references,
        )

    def output(self, content: Tensor) -> Tensor:
        norm = self.decoder.post_norm_layer
        normed: Tensor = content if norm is None else norm(content)
        return normed
