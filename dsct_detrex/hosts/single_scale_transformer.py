"""What the transformers of the single-scale family share: one map -> encoder -> queries -> decoder.

A variant may make its queries otherwise (``make_queries``). ``decoder_inputs`` stops before the decoder; DSCT starts
there.

Shape shorthand in this module: B images, S = H * W tokens, M context queries, L layers, C channels.

Source: DETR, arXiv:2005.12872, section 3.2; names as in detrex's projects/detr.
"""

from typing import Any

import torch
from torch import Tensor, nn

from dsct_detrex.hosts.single_scale_decoder import SingleScaleDecoder
from dsct_detrex.hosts.single_scale_encoder import SingleScaleEncoder


class SingleScaleTransformer(nn.Module):
    """Encoder and decoder on one map, sequence first inside. Every matrix starts as Xavier's."""

    encoder: SingleScaleEncoder
    decoder: SingleScaleDecoder

    def __init__(self, encoder: SingleScaleEncoder, decoder: SingleScaleDecoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.embed_dim = encoder.embed_dim
        self.init_weights()

    def init_weights(self) -> None:
        """Xavier for every matrix."""
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)

    def forward(
        self, x: Tensor, mask: Tensor, queries: Tensor, pos_embed: Tensor, *more: Any, **keywords: Any
    ) -> tuple[Tensor, Tensor]:
        """Run the whole transformer; arguments as for ``decoder_inputs``.

        Returns:
            (L, B, M, C) states; (L, B, M, 4) boxes that entered each layer or (B, M, 2) points, sigmoid in the unpadded
            frame.
        """
        states, references = self.decoder(**self.decoder_inputs(x, mask, queries, pos_embed, *more, **keywords))
        return states, references

    def decoder_inputs(
        self, x: Tensor, mask: Tensor, queries: Tensor, pos_embed: Tensor, *more: Any, **keywords: Any
    ) -> dict[str, Any]:
        """The keyword arguments that ``forward`` calls the decoder with.

        Args:
            x: (B, C, H, W) map.
            mask: (B, H, W) bool, True = padding.
            queries: the learned queries, see ``make_queries``.
            pos_embed: (B, C, H, W).
            more: what else ``make_queries`` takes; by keyword too.

        Returns:
            ``key``, ``value`` and ``key_pos`` (S, B, C), and what ``make_queries`` returns. As in detrex, only DETR's
            own decoder learns which keys are padding.
        """
        positions = _tokens(pos_embed)
        memory = self.encoder(
            query=_tokens(x),
            key=None,
            value=None,
            query_pos=positions,
            query_key_padding_mask=mask.flatten(1),
        )
        made = self.make_queries(memory, queries, *more, **keywords)
        return {**made, "key": memory, "value": memory, "key_pos": positions}

    def make_queries(self, memory: Tensor, queries: Tensor) -> dict[str, Any]:
        """The decoder's queries of all images.

        Args:
            memory: (S, B, C).
            queries: (M, C) learned positions.

        Returns:
            ``query`` (M, B, C), here zeros, and ``query_pos`` (M, B, C).
        """
        positions = queries[:, None].repeat(1, memory.shape[1], 1)
        return {"query": torch.zeros_like(positions), "query_pos": positions}


def _tokens(x: Tensor) -> Tensor:
    """(B, C, H, W) to (H * W, B, C)."""
    return x.flatten(2).permute(2, 0, 1)
