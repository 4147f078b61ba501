"""Deformable-DETR whose encoder proposes the context queries."""

from .deformable_detr import detrex, host

host.with_box_refine = True
host.as_two_stage = True
detrex.changes = dict(with_box_refine=True, as_two_stage=True)
