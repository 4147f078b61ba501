"""One small class per kind of host: what DSCT must know to run its loop over the host's own modules."""

from dsct_detrex.dsct.adapters.anchor_detr import AnchorDetrAdapter
from dsct_detrex.dsct.adapters.base import HostAdapter, MultiScaleAdapter, QueryState
from dsct_detrex.dsct.adapters.conditional_detr import ConditionalDetrAdapter
from dsct_detrex.dsct.adapters.dab_deformable_detr import DabDeformableDetrAdapter, DnDeformableDetrAdapter
from dsct_detrex.dsct.adapters.dab_detr import DabDetrAdapter, DnDetrAdapter
from dsct_detrex.dsct.adapters.deformable_detr import DeformableDetrAdapter
from dsct_detrex.dsct.adapters.deta import DetaAdapter
from dsct_detrex.dsct.adapters.detr import DetrAdapter
from dsct_detrex.dsct.adapters.dino import DinoAdapter
from dsct_detrex.dsct.adapters.dynamic_anchors import DynamicAnchorAdapter
from dsct_detrex.dsct.adapters.h_deformable_detr import HDeformableDetrAdapter
from dsct_detrex.dsct.adapters.registry import adapter_for, register_adapter
from dsct_detrex.dsct.adapters.single_scale import SingleScaleAdapter

__all__ = [
    "AnchorDetrAdapter",
    "ConditionalDetrAdapter",
    "DabDeformableDetrAdapter",
    "DabDetrAdapter",
    "DeformableDetrAdapter",
    "DetaAdapter",
    "DetrAdapter",
    "DinoAdapter",
    "DnDeformableDetrAdapter",
    "DnDetrAdapter",
    "DynamicAnchorAdapter",
    "HDeformableDetrAdapter",
    "HostAdapter",
    "MultiScaleAdapter",
    "QueryState",
    "SingleScaleAdapter",
    "adapter_for",
    "register_adapter",
]
