"""DAB-Deformable-DETR and DN-Deformable-DETR as hosts (detrex: projects/{dab,dn}_deformable_detr/modeling)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from dsct_detrex.dsct.adapters.base import QueryState
from dsct_detrex.dsct.adapters.dynamic_anchors import DynamicAnchorAdapter
from dsct_detrex.dsct.capture import capture_keywords


class DabDeformableDetrAdapter(DynamicAnchorAdapter):
    """Contexts own content and anchor, or get both from the encoder; content scales positions after the first layer."""

    kind = "dab_deformable_detr"

    @classmethod
    def recognises(cls, host: nn.Module) -> bool:
        transformer = getattr(host, "transformer", None)
        decoder = getattr(transformer, "decoder", None)
        return (
            hasattr(transformer, "level_embeds")
            and hasattr(decoder, "ref_point_head")
            and hasattr(decoder, "query_scale")
        )

    def decoder_inputs(self, images: Tensor, mask: Tensor) -> dict[str, Any]:
        features = self.features(images, mask)
        queries = self.queries(images.shape[0])
        return capture_keywords(self.decoder, lambda: self.host.transformer(*features, *queries))

    def queries(self, batch_size: int) -> tuple[Any, ...]:
        """What the transformer takes behind features, masks and positions."""
        if self.two_stage:
            return (None,)
        return (torch.cat([self.host.tgt_embed.weight, self.host.refpoint_embed.weight], 1),)

    def step(self, index: int, state: QueryState, inputs: dict[str, Any]) -> dict[str, Any]:
        keywords = super().step(index, state, inputs)
        scale = self.decoder.query_scale(state.content) if index > 0 else 1
        return keywords | {"query_pos": scale * keywords["query_pos"]}


class DnDeformableDetrAdapter(DabDeformableDetrAdapter):
    """The same decoder; contents carry an indicator that tells matching (0) from denoising queries.

    Raises:
        ValueError: a two-stage host, which detrex cannot run itself (it misspells the name of its own norm).
    """

    kind = "dn_deformable_detr"

    def __init__(self, host: nn.Module) -> None:
        super().__init__(host)
        if self.two_stage:
            raise ValueError(
                "DnDeformableDetrAdapter(host=) expects a one-stage DN-Deformable-DETR: the two-stage form cannot run "
                "in detrex either. Got a host whose encoder proposes queries."
            )

    @classmethod
    def recognises(cls, host: nn.Module) -> bool:
        return super().recognises(host) and hasattr(host, "denoising_generator")

    def queries(self, batch_size: int) -> tuple[Any, ...]:
        content = self.host.tgt_embed.weight
        if self.host.with_indicator:
            content = nn.functional.pad(content, (0, 1))
        anchors = self.host.refpoint_embed.weight
        return *(table.expand(batch_size, -1, -1) for table in (content, anchors)), [None, None]
