"""DN-DETR's transformer: DAB-DETR's, with the content of its queries given from outside.

Source: DN-DETR, arXiv:2203.01305, section 3; keywords of ``DNDetrTransformer`` and its parts in detrex's
projects/dn_detr.
"""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from dsct_detrex.hosts.dab_detr_transformer import DabDetrTransformerDecoder, DabDetrTransformerEncoder
from dsct_detrex.hosts.single_scale_transformer import SingleScaleTransformer


class DNDetrTransformerEncoder(DabDetrTransformerEncoder):
    """DAB-DETR's encoder under DN-DETR's name; dropouts that detrex leaves at 0 here default to DAB-DETR's 0.1."""


class DNDetrTransformerDecoder(DabDetrTransformerDecoder):
    """DAB-DETR's decoder under DN-DETR's name."""


class DNDetrTransformer(SingleScaleTransformer):
    """Call it as ``transformer(x, mask, anchor_box_embed, pos_embed, target=content, attn_mask=[mask, None])``.

    Shapes: B images, Q queries (denoising ones in front), S = H * W tokens, C channels.
    """

    def make_queries(
        self,
        memory: Tensor,
        queries: Tensor,
        target: Tensor | None = None,
        attn_mask: Sequence[Tensor | None] = (None, None),
    ) -> dict[str, Any]:
        """Queries of all images.

        Args:
            memory: (S, B, C).
            queries: (Q, B or 1, 4) boxes before the sigmoid.
            target: (Q, B or 1, C) content; always given.
            attn_mask: [(Q, Q) bool, True = blocked, or None; None], for self- and cross-attention.
        """
        assert target is not None, "DN-DETR's queries have content"
        batch_size = memory.shape[1]
        return {
            "query": target.expand(-1, batch_size, -1).contiguous(),
            "anchor_box_embed": queries.expand(-1, batch_size, -1).contiguous(),
            "attn_masks": list(attn_mask),
        }
