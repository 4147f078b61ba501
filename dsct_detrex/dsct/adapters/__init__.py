"""One small class per kind of host: what DSCT must know to run its loop over the host's own modules."""

from dsct_detrex.dsct.adapters.base import HostAdapter, MultiScaleAdapter, QueryState
from dsct_detrex.dsct.adapters.deformable_detr import DeformableDetrAdapter
from dsct_detrex.dsct.adapters.dino import DinoAdapter
from dsct_detrex.dsct.adapters.registry import adapter_for, register_adapter

__all__ = [
    "DeformableDetrAdapter",
    "DinoAdapter",
    "HostAdapter",
    "MultiScaleAdapter",
    "QueryState",
    "adapter_for",
    "register_adapter",
]
