"""DINO as a host: queries start from encoder proposals and are refined box by box (detrex: projects/dino/modeling)."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from dsct_detrex.dsct.adapters.base import MultiScaleAdapter, QueryState
from dsct_detrex.dsct.capture import capture_keywords
from dsct_detrex.dsct.subject_queries import QuerySpec, Subjects
from dsct_detrex.layers.position_embedding import get_sine_pos_embed


class DinoAdapter(MultiScaleAdapter):
    """Positions are computed in every layer from the sine embedding of the reference box; outputs are normed."""

    kind = "dino"

    @classmethod
    def recognises(cls, host: nn.Module) -> bool:
        transformer = getattr(host, "transformer", None)
        return hasattr(transformer, "level_embeds") and hasattr(getattr(transformer, "decoder", None), "norm")

    @property
    def query_spec(self) -> QuerySpec:
        return QuerySpec(self.host.transformer.level_embeds.shape[-1], position=False, anchor_dim=4)

    @property
    def look_forward_twice(self) -> bool:
        return bool(self.decoder.look_forward_twice)

    def decoder_inputs(self, images: Tensor, mask: Tensor) -> dict[str, Any]:
        features = self.features(images, mask)
        return capture_keywords(
            self.decoder, lambda: self.host.transformer(*features, (None, None), attn_masks=[None, None])
        )

    def begin(self, inputs: dict[str, Any], subjects: Subjects) -> QueryState:
        assert subjects.anchor is not None
        return self.append(inputs, subjects, subjects.anchor)

    def step(self, index: int, state: QueryState, inputs: dict[str, Any]) -> dict[str, Any]:
        keywords = super().step(index, state, inputs)
        sine = get_sine_pos_embed(keywords["reference_points"][:, :, 0])
        return keywords | {"query_pos": self.decoder.ref_point_head(sine)}

    def output(self, content: Tensor) -> Tensor:
        normed: Tensor = self.decoder.norm(content)
        return normed
