"""DAB-DETR, SQR-DETR and DN-DETR as hosts: queries are boxes, refined by one head (detrex: projects/{dab,dn}_detr)."""

from __future__ import annotations

from typing import Any

from torch import nn

from dsct_detrex.dsct.adapters.base import QueryState
from dsct_detrex.dsct.adapters.conditional_detr import ConditionalAdapter
from dsct_detrex.dsct.subject_queries import QuerySpec, Subjects
from dsct_detrex.layers.conditional_attention import modulate_by_size
from dsct_detrex.layers.position_embedding import get_sine_pos_embed


class DabDetrAdapter(ConditionalAdapter):
    """Positions come from boxes in every layer; SQR-DETR's recollection of queries, of its own training, stays out."""

    kind = "dab_detr"

    @classmethod
    def recognises(cls, host: nn.Module) -> bool:
        return super().recognises(host) and hasattr(host, "anchor_box_embed")

    @property
    def query_spec(self) -> QuerySpec:
        return QuerySpec(self.host.transformer.embed_dim, position=False, anchor_dim=4)

    @property
    def look_forward_twice(self) -> bool:
        return True

    def queries(self, batch_size: int) -> tuple[Any, ...]:
        return (self.host.anchor_box_embed.weight,)

    def begin(self, inputs: dict[str, Any], subjects: Subjects) -> QueryState:
        return self.append(inputs, subjects, inputs["anchor_box_embed"].sigmoid(), self.anchor(subjects))

    def step(self, index: int, state: QueryState, inputs: dict[str, Any]) -> dict[str, Any]:
        keywords = super().step(index, state, inputs)
        boxes = state.reference.transpose(0, 1).contiguous()
        if self.decoder.modulate_hw_attn:
            size = self.decoder.ref_anchor_head(state.content).sigmoid()
            keywords["query_sine_embed"] = modulate_by_size(keywords["query_sine_embed"], size, boxes)
        return keywords | {"query_pos": self.decoder.ref_point_head(get_sine_pos_embed(boxes))}

    def refine_head(self, index: int) -> nn.Module | None:
        """The one box head of all layers."""
        head: nn.Module | None = self.decoder.bbox_embed
        return head


class DnDetrAdapter(DabDetrAdapter):
    """Contexts carry the label "no object" and, where the host has one, an indicator that says "no denoising query"."""

    kind = "dn_detr"

    @classmethod
    def recognises(cls, host: nn.Module) -> bool:
        return hasattr(host, "denoising_generator") and super().recognises(host)

    def queries(self, batch_size: int) -> tuple[Any, ...]:
        anchors = self.host.anchor_box_embed.weight
        no_object = self.host.denoising_generator.label_encoder.weight[-1]
        content = nn.functional.pad(no_object, (0, self.query_spec.embed_dim - len(no_object)))
        return anchors[:, None].repeat(1, batch_size, 1), content.repeat(len(anchors), batch_size, 1), [None, None]
