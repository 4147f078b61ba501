"""DAB-Deformable-DETR whose encoder proposes the context queries."""

from .dab_deformable_detr import host

host.as_two_stage = True
