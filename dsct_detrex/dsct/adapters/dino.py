"""DINO as a host: queries start from encoder proposals and are refined box by box (detrex: projects/dino/modeling)."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from dsct_detrex.dsct.adapters.dynamic_anchors import DynamicAnchorAdapter
from dsct_detrex.dsct.capture import capture_keywords


class DinoAdapter(DynamicAnchorAdapter):
    """The contexts' anchors come from the encoder; outputs are normed. So are those of Align-DETR and Focus-DETR."""

    kind = "dino"

    @classmethod
    def recognises(cls, host: nn.Module) -> bool:
        transformer = getattr(host, "transformer", None)
        return hasattr(transformer, "level_embeds") and hasattr(getattr(transformer, "decoder", None), "norm")

    def decoder_inputs(self, images: Tensor, mask: Tensor) -> dict[str, Any]:
        features = self.features(images, mask)
        return capture_keywords(
            self.decoder, lambda: self.host.transformer(*features, (None, None), attn_masks=[None, None])
        )

    def output(self, content: Tensor) -> Tensor:
        normed: Tensor = self.decoder.norm(content)
        return normed
