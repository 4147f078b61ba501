"""DAB-Deformable-DETR whose encoder proposes the context queries."""

from .dab_deformable_detr import detrex, host

host.as_two_stage = True
detrex.changes = dict(as_two_stage=True)
