"""Anchor-DETR as a host: patterns at anchor points, no decoder module (detrex: projects/anchor_detr/modeling)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from dsct_detrex.dsct.adapters.base import HostAdapter, MemoryExtra, QueryState
from dsct_detrex.dsct.adapters.post_norm import Middle
from dsct_detrex.dsct.capture import capture_keywords
from dsct_detrex.dsct.subject_queries import QuerySpec, Subjects
from dsct_detrex.layers.levels import shrink_mask


class AnchorDetrAdapter(HostAdapter):
    """Queries own a point that stays; every layer makes its positions from it."""

    kind = "anchor_detr"

    @classmethod
    def recognises(cls, host: nn.Module) -> bool:
        return hasattr(getattr(host, "transformer", None), "decoder_layers")

    @property
    def decoder(self) -> Any:
        """The first decoder layer: the transformer calls its layers one by one."""
        return self.layers[0]

    @property
    def layers(self) -> Sequence[Any]:
        layers: Sequence[Any] = self.host.transformer.decoder_layers
        return layers

    @property
    def head_owner(self) -> Any:
        return self.host.transformer

    def check_layers(self) -> None:
        """Raise if a decoder layer has no self-attention that takes masks, or no feed-forward to act before."""
        for index, layer in enumerate(self.layers):
            attention, ffn = getattr(layer, "self_attn", None), getattr(layer, "ffn", None)
            if not isinstance(attention, nn.MultiheadAttention) or not isinstance(ffn, nn.Module):
                raise ValueError(
                    "AnchorDetrAdapter expects decoder layers with a torch.nn.MultiheadAttention self_attn and an ffn. "
                    f"Layer {index} has {type(attention).__name__} and {type(ffn).__name__}."
                )

    @property
    def query_spec(self) -> QuerySpec:
        return QuerySpec(self.host.transformer.pattern.embedding_dim, position=False, anchor_dim=2)

    def features(self, images: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Feature map (B, C, H, W) and its (B, H, W) padding; the transformer makes the positions."""
        features = self.host.input_proj(self.host.backbone(images)[self.host.in_features[-1]])
        return features, shrink_mask(mask, features.shape[-2:])

    def decoder_inputs(self, images: Tensor, mask: Tensor) -> dict[str, Any]:
        features, mask = self.features(images, mask)
        return capture_keywords(self.decoder, lambda: self.host.transformer(features[:, None], mask))

    def add_to_memory(self, inputs: dict[str, Any], extra: MemoryExtra) -> dict[str, Any]:
        maps: Tensor = inputs["srcs"]  # (B, 1, C, H, W)
        height, width = maps.shape[-2:]
        added = extra((height, width)).transpose(1, 2).reshape(maps.shape)
        return inputs | {"srcs": maps + added.to(maps.dtype)}

    def num_contexts(self, inputs: dict[str, Any]) -> int:
        queries: Tensor = inputs["tgt"]
        return queries.shape[1]

    def begin(self, inputs: dict[str, Any], subjects: Subjects) -> QueryState:
        anchor = self.anchor(subjects)
        assert anchor is not None
        contexts: Tensor = inputs["reference_points"]
        references = torch.cat([contexts, anchor.to(contexts.dtype)], 1)
        return QueryState(
            content=torch.cat([inputs["tgt"], subjects.content], 1),
            position=None,
            reference=references,
            prediction_reference=references,
        )

    def step(self, index: int, state: QueryState, inputs: dict[str, Any]) -> dict[str, Any]:
        shared = {name: value for name, value in inputs.items() if name != "tgt"}
        return shared | {"reference_points": state.reference}

    def run_layer(
        self,
        base: Any,
        content: Tensor,
        keywords: dict[str, Any],
        attention_mask: Tensor | None,
        middle: Middle | None,
    ) -> Tensor:
        """Run a layer as it is: it takes neither masks nor a middle, so both enter at its own submodules' calls.

        Arguments as for ``run_post_norm_layer``; ``keywords`` are the layer's own, and ``query_key_padding_mask``.
        """
        keywords = dict(keywords)
        masks = {"attn_mask": attention_mask, "key_padding_mask": keywords.pop("query_key_padding_mask", None)}
        hooks = [
            base.self_attn.register_forward_pre_hook(lambda _, args, kw: (args, kw | masks), with_kwargs=True),
            base.ffn.register_forward_pre_hook(lambda _, args: args if middle is None else (middle(*args),)),
        ]
        try:
            out: Tensor = base(content, **keywords)
        finally:
            for hook in hooks:
                hook.remove()
        return out
