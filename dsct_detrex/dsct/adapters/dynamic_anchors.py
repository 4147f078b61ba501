"""Hosts whose queries are anchor boxes: what DAB-Deformable-DETR and DINO share beyond the deformable family."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from dsct_detrex.dsct.adapters.base import MultiScaleAdapter, QueryState
from dsct_detrex.dsct.subject_queries import QuerySpec, Subjects
from dsct_detrex.layers.position_embedding import get_sine_pos_embed


class DynamicAnchorAdapter(MultiScaleAdapter):
    """Positions are computed in every layer from the sine embedding of the reference box."""

    @property
    def query_spec(self) -> QuerySpec:
        return QuerySpec(self.host.transformer.level_embeds.shape[-1], position=False, anchor_dim=4)

    def begin(self, inputs: dict[str, Any], subjects: Subjects) -> QueryState:
        assert subjects.anchor is not None
        # learned references come as (M, 4), those of all images
        contexts = inputs["reference_points"].expand(subjects.content.shape[0], -1, -1)
        return self.append(inputs | {"reference_points": contexts}, subjects, subjects.anchor)

    def step(self, index: int, state: QueryState, inputs: dict[str, Any]) -> dict[str, Any]:
        keywords = super().step(index, state, inputs)
        sine = get_sine_pos_embed(keywords["reference_points"][:, :, 0])
        return keywords | {"query_pos": self.decoder.ref_point_head(sine)}

    def proposal_scores(self, logits: Tensor) -> Tensor:
        return logits.max(-1).values
