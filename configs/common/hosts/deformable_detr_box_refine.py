"""Deformable-DETR with iterative box refinement."""

from .deformable_detr import detrex, host

host.with_box_refine = True
detrex.changes = dict(with_box_refine=True)
