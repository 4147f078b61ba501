"""DETR and PnP-DETR as hosts: queries know no reference, their boxes say where they are (detrex: projects/detr)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from dsct_detrex.dsct.adapters.base import QueryState, SubjectBoxes
from dsct_detrex.dsct.adapters.single_scale import SingleScaleAdapter
from dsct_detrex.dsct.subject_queries import Subjects


class DetrAdapter(SingleScaleAdapter):
    """Queries own a constant position embedding. PnP-DETR samples its map before the encoder."""

    kind = "detr"
    no_object = True

    @classmethod
    def recognises(cls, host: nn.Module) -> bool:
        return (
            super().recognises(host)
            and hasattr(host, "query_embed")
            and not hasattr(getattr(host.transformer, "decoder", None), "ref_point_head")
        )

    def queries(self, batch_size: int) -> tuple[Any, ...]:
        sampling = (self.host.test_time_sample_ratio,) if hasattr(self.host, "test_time_sample_ratio") else ()
        return self.host.query_embed.weight, *sampling

    def begin(self, inputs: dict[str, Any], subjects: Subjects) -> QueryState:
        return self.append(inputs, subjects, inputs["query_pos"][..., :0])

    def points(self, state: QueryState, middle: Tensor, num_contexts: int, subject_boxes: SubjectBoxes) -> Tensor:
        """Centres of the boxes that the heads read from the states; the host's own head for the contexts."""
        states = self.output(middle).transpose(0, 1)
        contexts = self.host.bbox_embed(states[:, :num_contexts]).sigmoid()
        return torch.cat([contexts, subject_boxes(states[:, num_contexts:])], 1)[..., :2]
