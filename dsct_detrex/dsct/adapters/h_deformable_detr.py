"""H-Deformable-DETR as a host: Deformable-DETR with one-to-many queries (detrex: projects/h_deformable_detr)."""

from __future__ import annotations

from typing import Any

from torch import nn

from dsct_detrex.dsct.adapters.deformable_detr import DeformableDetrAdapter


class HDeformableDetrAdapter(DeformableDetrAdapter):
    """The one-to-one queries are the contexts; those that only the host's own training uses are left out.

    Args:
        host: told, once and for good, to propose its one-to-one queries only, as its own evaluation does.
    """

    kind = "h_deformable_detr"

    def __init__(self, host: nn.Module) -> None:
        super().__init__(host)
        self.host.transformer.two_stage_num_proposals = self.host.num_queries_one2one

    @classmethod
    def recognises(cls, host: nn.Module) -> bool:
        return super().recognises(host) and hasattr(host, "num_queries_one2one")

    def queries(self) -> tuple[Any, ...]:
        if self.two_stage and not self.host.transformer.mixed_selection:
            return None, None
        return self.host.query_embedding.weight[: self.host.num_queries_one2one], None
