"""Which adapter reads which host: asked in order, first to recognise the structure wins."""

from __future__ import annotations

from torch import nn

from dsct_detrex.dsct.adapters.anchor_detr import AnchorDetrAdapter
from dsct_detrex.dsct.adapters.base import HostAdapter
from dsct_detrex.dsct.adapters.conditional_detr import ConditionalDetrAdapter
from dsct_detrex.dsct.adapters.dab_deformable_detr import DabDeformableDetrAdapter, DnDeformableDetrAdapter
from dsct_detrex.dsct.adapters.dab_detr import DabDetrAdapter, DnDetrAdapter
from dsct_detrex.dsct.adapters.deformable_detr import DeformableDetrAdapter
from dsct_detrex.dsct.adapters.deta import DetaAdapter
from dsct_detrex.dsct.adapters.detr import DetrAdapter
from dsct_detrex.dsct.adapters.dino import DinoAdapter
from dsct_detrex.dsct.adapters.h_deformable_detr import HDeformableDetrAdapter

_ADAPTERS: list[type[HostAdapter]] = [
    AnchorDetrAdapter,
    DinoAdapter,
    DnDeformableDetrAdapter,
    DabDeformableDetrAdapter,
    HDeformableDetrAdapter,
    DetaAdapter,
    DeformableDetrAdapter,
    DnDetrAdapter,
    DabDetrAdapter,
    ConditionalDetrAdapter,
    DetrAdapter,
]


def register_adapter(adapter: type[HostAdapter]) -> type[HostAdapter]:
    """Make a further kind of host known; it is asked before the built-in ones. Usable as a class decorator."""
    if adapter not in _ADAPTERS:
        _ADAPTERS.insert(0, adapter)
    return adapter


def adapter_for(host: nn.Module) -> HostAdapter:
    """The adapter that recognises a host.

    Raises:
        ValueError: no adapter does; the message lists the known kinds and what a new adapter must provide.
    """
    for adapter in _ADAPTERS:
        if adapter.recognises(host):
            return adapter(host)
    known = ", ".join(adapter.kind for adapter in _ADAPTERS)
    raise ValueError(
        f"adapter_for(host=) expects a host of a known kind ({known}). Got {type(host).__name__}. To add one, subclass "
        "dsct_detrex.dsct.HostAdapter (recognises, query_spec, decoder_inputs, begin, step) and pass it to "
        "register_adapter."
    )
