"""Conditional-DETR and Group-DETR as hosts: a static point for each query (detrex: projects/conditional_detr)."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from dsct_detrex.dsct.adapters.base import QueryState
from dsct_detrex.dsct.adapters.single_scale import SingleScaleAdapter
from dsct_detrex.dsct.subject_queries import Subjects
from dsct_detrex.layers.position_embedding import get_sine_pos_embed


class ConditionalAdapter(SingleScaleAdapter):
    """What hosts with conditional attention share: cross-attention wants the sine embedding of the reference."""

    @classmethod
    def recognises(cls, host: nn.Module) -> bool:
        return super().recognises(host) and hasattr(getattr(host.transformer, "decoder", None), "ref_point_head")

    def step(self, index: int, state: QueryState, inputs: dict[str, Any]) -> dict[str, Any]:
        sine = get_sine_pos_embed(state.reference.transpose(0, 1).contiguous())  # as in the host, bit for bit
        scale = self.decoder.query_scale(state.content) if index > 0 else 1
        return super().step(index, state, inputs) | {
            "query_sine_embed": sine[..., : state.content.shape[-1]] * scale,
            "is_first_layer": index == 0,
        }


class ConditionalDetrAdapter(ConditionalAdapter):
    """Queries own a position, and their point is a map of it; the groups of Group-DETR's own training stay out."""

    kind = "conditional_detr"

    def __init__(self, host: nn.Module) -> None:
        super().__init__(host)
        for layer in self.layers:  # in training Group-DETR's self-attention would cut the queries into groups
            if hasattr(layer.attentions[0], "group_nums"):
                layer.attentions[0].group_nums = 1

    def queries(self, batch_size: int) -> tuple[Any, ...]:
        table: Tensor = self.host.query_embed.weight
        return (table[: getattr(self.host, "num_queries", len(table))],)

    def anchor(self, subjects: Subjects) -> Tensor | None:
        if subjects.anchor is not None:
            return subjects.anchor
        reference: Tensor = self.decoder.ref_point_head(subjects.position).sigmoid()
        return reference

    def begin(self, inputs: dict[str, Any], subjects: Subjects) -> QueryState:
        contexts = self.decoder.ref_point_head(inputs["query_pos"]).sigmoid()
        return self.append(inputs, subjects, contexts, self.anchor(subjects))
