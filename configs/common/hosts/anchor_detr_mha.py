"""Anchor-DETR with plain attention."""

from .anchor_detr import detrex, host

host.transformer.attention_type = "nn.MultiheadAttention"
detrex.changes = {"transformer.attention_type": "nn.MultiheadAttention"}
