"""Deformable-DETR with iterative box refinement."""

from .deformable_detr import host

host.with_box_refine = True
