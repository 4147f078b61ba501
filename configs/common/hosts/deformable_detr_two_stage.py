"""Deformable-DETR whose encoder proposes the context queries."""

from .deformable_detr import host

host.with_box_refine = True
host.as_two_stage = True
