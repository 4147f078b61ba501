"""Anchor-DETR with plain attention."""

from .anchor_detr import host

host.transformer.attention_type = "nn.MultiheadAttention"
