"""Multi-scale deformable attention: one function, several backends."""

from dsct_detrex.ops.backends import Backend, BackendError, available_backends, register_backend, use_backend
from dsct_detrex.ops.fused import fused_deformable_attn
from dsct_detrex.ops.multi_scale_deform_attn import multi_scale_deformable_attn
from dsct_detrex.ops.triton_backend import register_triton

register_triton()

__all__ = [
    "Backend",
    "BackendError",
    "available_backends",
    "fused_deformable_attn",
    "multi_scale_deformable_attn",
    "register_backend",
    "use_backend",
]
