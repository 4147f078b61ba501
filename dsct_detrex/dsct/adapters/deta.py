"""DETA as a host: Deformable-DETR with another first stage (detrex: projects/deta/modeling)."""

from __future__ import annotations

from torch import nn

from dsct_detrex.dsct.adapters.deformable_detr import DeformableDetrAdapter


class DetaAdapter(DeformableDetrAdapter):
    """Nothing differs behind the first stage, which the host's transformer runs itself."""

    kind = "deta"

    @classmethod
    def recognises(cls, host: nn.Module) -> bool:
        return super().recognises(host) and hasattr(getattr(host, "transformer", None), "assign_first_stage")
