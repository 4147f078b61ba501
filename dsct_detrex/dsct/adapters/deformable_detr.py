"""Deformable-DETR as a host: plain, with box refinement, two-stage (detrex: projects/deformable_detr/modeling)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from dsct_detrex.dsct.adapters.base import MultiScaleAdapter, QueryState
from dsct_detrex.dsct.capture import capture_keywords
from dsct_detrex.dsct.subject_queries import QuerySpec, Subjects


class DeformableDetrAdapter(MultiScaleAdapter):
    """Queries own a constant position embedding; their reference is a linear map of it, or an anchor if two-stage."""

    kind = "deformable_detr"

    @classmethod
    def recognises(cls, host: nn.Module) -> bool:
        transformer = getattr(host, "transformer", None)
        decoder = getattr(transformer, "decoder", None)
        return (
            hasattr(transformer, "level_embeds")
            and not hasattr(decoder, "norm")
            and not hasattr(decoder, "ref_point_head")
        )

    @property
    def query_spec(self) -> QuerySpec:
        embed_dim = self.host.transformer.level_embeds.shape[-1]
        return QuerySpec(embed_dim, position=True, anchor_dim=4 if self.two_stage else 0)

    def anchor(self, subjects: Subjects) -> Tensor | None:
        if subjects.anchor is not None or self.two_stage:
            return subjects.anchor
        reference: Tensor = self.host.transformer.reference_points(subjects.position).sigmoid()
        return reference

    def decoder_inputs(self, images: Tensor, mask: Tensor) -> dict[str, Any]:
        features = self.features(images, mask)
        return capture_keywords(self.decoder, lambda: self.host.transformer(*features, *self.queries()))

    def queries(self) -> tuple[Any, ...]:
        """What the transformer takes behind features, masks and positions."""
        return (None if self.two_stage else self.host.query_embedding.weight,)

    def begin(self, inputs: dict[str, Any], subjects: Subjects) -> QueryState:
        assert subjects.position is not None
        anchor = self.anchor(subjects)
        assert anchor is not None
        position = torch.cat([inputs["query_pos"], subjects.position], 1)
        return self.append(inputs, subjects, anchor, position)
