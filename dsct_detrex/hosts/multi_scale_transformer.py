"""What the transformers of the deformable family share: levels -> encoder -> [first stage] -> queries -> decoder.

A variant names its queries (``make_queries``), how the first stage ranks its proposals (``proposal_scores``) and what
of the first stage its ``forward`` returns (``first_stage_outputs``). ``decoder_inputs`` stops before the decoder; DSCT
starts there.

Shape shorthand in this module: B images, S tokens, M context queries, V levels, L layers, C channels, K classes.

Source: Deformable DETR, arXiv:2010.04159, section 4 and appendix (two-stage); names as in detrex's
projects/deformable_detr.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from dsct_detrex.hosts.deformable_decoder import DeformableDetrTransformerDecoder
from dsct_detrex.hosts.deformable_encoder import DeformableDetrTransformerEncoder
from dsct_detrex.hosts.errors import HostConfigError
from dsct_detrex.layers.levels import Levels, encoder_references, flatten_levels, grid_proposals
from dsct_detrex.layers.multi_scale_deform_attn import MultiScaleDeformableAttention


@dataclass(frozen=True)
class FirstStage:
    """What a two-stage encoder says about every token, and the tokens it proposes.

    Attributes:
        states: (B, S, C) memory behind the first-stage projection.
        logits: (B, S, K) class logits.
        box_logits: (B, S, 4) ``cxcywh`` before the sigmoid, unpadded frame; +inf where a token is no candidate.
        grid: (B, S, 4) likewise, the squares that ``box_logits`` are relative to.
        chosen: (B, M) int64, the proposed tokens, best first.
    """

    states: Tensor
    logits: Tensor
    box_logits: Tensor
    grid: Tensor
    chosen: Tensor

    def take(self, values: Tensor) -> Tensor:
        """(B, M, ...) the rows of (B, S, ...) that belong to the proposed tokens."""
        return values.gather(1, self.chosen[..., None].expand(-1, -1, values.shape[-1]))

    @property
    def content(self) -> Tensor:
        """(B, M, C) states of the proposed tokens, without gradient."""
        return self.take(self.states).detach()

    @property
    def references(self) -> Tensor:
        """(B, M, 4) ``cxcywh`` in [0, 1] of the proposed tokens, without gradient."""
        return self.take(self.box_logits).detach().sigmoid()


class MultiScaleTransformer(nn.Module, ABC):
    """Encoder and decoder on several feature levels.

    Args:
        num_feature_levels: number of levels V.
        as_two_stage: whether the encoder proposes the context queries; the host puts the heads it needs on the decoder.
        two_stage_num_proposals: number of proposals M.
    """

    encoder: DeformableDetrTransformerEncoder
    decoder: DeformableDetrTransformerDecoder
    num_first_stage_outputs: ClassVar[int] = 2
    """How many values ``first_stage_outputs`` has."""

    def __init__(
        self,
        encoder: DeformableDetrTransformerEncoder,
        decoder: DeformableDetrTransformerDecoder,
        num_feature_levels: int,
        as_two_stage: bool,
        two_stage_num_proposals: int,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.num_feature_levels = num_feature_levels
        self.as_two_stage = as_two_stage
        self.two_stage_num_proposals = two_stage_num_proposals
        self.embed_dim = encoder.embed_dim
        self.level_embeds = nn.Parameter(torch.empty(num_feature_levels, self.embed_dim))
        if as_two_stage:
            self.enc_output = nn.Linear(self.embed_dim, self.embed_dim)
            self.enc_output_norm = nn.LayerNorm(self.embed_dim)

    def init_weights(self) -> None:
        """Xavier for every matrix, deformable attention's own pattern of offsets, unit normal level embeddings."""
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)
        for module in self.modules():
            if isinstance(module, MultiScaleDeformableAttention):
                module.init_weights()
        nn.init.normal_(self.level_embeds)

    def forward(
        self,
        multi_level_feats: Sequence[Tensor],
        multi_level_masks: Sequence[Tensor],
        multi_level_pos_embeds: Sequence[Tensor],
        *queries: Any,
        **more_queries: Any,
    ) -> tuple[Tensor | None, ...]:
        """Run the whole transformer; arguments as for ``decoder_inputs``.

        Returns:
            (L, B, M, C) states; (B, M, 2 or 4) references entering the first layer; (L, B, M, 2 or 4) references after
            each layer, all sigmoid in the unpadded frame; then ``first_stage_outputs``, or as many Nones.
        """
        inputs, first_stage = self._prepare(
            multi_level_feats, multi_level_masks, multi_level_pos_embeds, *queries, **more_queries
        )
        states, references = self.decoder(**inputs)
        none = (None,) * self.num_first_stage_outputs
        outputs = none if first_stage is None else self.first_stage_outputs(first_stage)
        return states, inputs["reference_points"], references, *outputs

    def decoder_inputs(
        self,
        multi_level_feats: Sequence[Tensor],
        multi_level_masks: Sequence[Tensor],
        multi_level_pos_embeds: Sequence[Tensor],
        *queries: Any,
        **more_queries: Any,
    ) -> dict[str, Any]:
        """The keyword arguments that ``forward`` calls the decoder with.

        Args:
            multi_level_feats: V maps (B, C, H_v, W_v), finest first.
            multi_level_masks: V masks (B, H_v, W_v) bool, True = padding.
            multi_level_pos_embeds: V maps (B, C, H_v, W_v).
            queries: ``query_embed`` and what else the variant's ``make_queries`` takes; by keyword too.

        Returns:
            ``query`` (B, M, C), ``query_pos`` (B, M, C) or None, ``key`` (B, S, C) or None, ``value`` (B, S, C),
            ``key_padding_mask`` (B, S), ``reference_points`` (B, M, 2 or 4) or without B, sigmoid in the unpadded
            frame, ``spatial_shapes`` (V, 2), ``level_start_index`` (V,), ``valid_ratios`` (B, V, 2); ``attn_masks``
            where the variant has them.
        """
        return self._prepare(multi_level_feats, multi_level_masks, multi_level_pos_embeds, *queries, **more_queries)[0]

    def _prepare(
        self,
        feats: Sequence[Tensor],
        masks: Sequence[Tensor],
        pos_embeds: Sequence[Tensor],
        *queries: Any,
        **more_queries: Any,
    ) -> tuple[dict[str, Any], FirstStage | None]:
        levels = flatten_levels(feats, masks, pos_embeds, self.level_embeds)
        memory = self.encode(levels)
        first_stage = self.propose(memory, levels) if self.as_two_stage else None
        inputs = {
            **self.make_queries(memory, first_stage, *queries, **more_queries),
            "value": memory,
            "key_padding_mask": levels.padding,
            "spatial_shapes": levels.spatial_shapes,
            "level_start_index": levels.level_start_index,
            "valid_ratios": levels.valid_ratios,
        }
        return inputs, first_stage

    def encode(self, levels: Levels) -> Tensor:
        """(B, S, C) memory."""
        memory: Tensor = self.encoder(
            levels.tokens,
            query_pos=levels.positions,
            query_key_padding_mask=levels.padding,
            reference_points=encoder_references(levels),
            spatial_shapes=levels.spatial_shapes,
            level_start_index=levels.level_start_index,
        )
        return memory

    def propose(self, memory: Tensor, levels: Levels) -> FirstStage:
        """Score every token of the (B, S, C) memory as if it were a query, with the heads behind the last layer's."""
        class_embed, bbox_embed = self.decoder.class_embed, self.decoder.bbox_embed
        assert class_embed is not None, "a two-stage host puts its class heads on the decoder"
        assert bbox_embed is not None, "a two-stage host puts its box heads on the decoder"
        grid, candidate = grid_proposals(levels)
        states = self.enc_output_norm(self.enc_output(memory.masked_fill(~candidate[..., None], 0.0)))
        logits = class_embed[self.decoder.num_layers](states)
        box_logits = bbox_embed[self.decoder.num_layers](states) + grid
        return FirstStage(states, logits, box_logits, grid, self.choose(logits, box_logits, levels))

    def choose(self, logits: Tensor, box_logits: Tensor, levels: Levels) -> Tensor:
        """(B, M) int64: the tokens to propose, best first; here the ones that score highest."""
        tokens = logits.shape[1]
        if tokens < self.two_stage_num_proposals:
            raise HostConfigError(
                f"{type(self).__name__}(two_stage_num_proposals={self.two_stage_num_proposals}) expects images of at "
                f"least as many encoder positions. These have {tokens}: take larger images or fewer queries."
            )
        return self.proposal_scores(logits).topk(self.two_stage_num_proposals, dim=1).indices

    def proposal_scores(self, logits: Tensor) -> Tensor:
        """(B, S) ranking of the tokens from their (B, S, K) class logits; here the first class alone, as in detrex."""
        return logits[..., 0]

    @abstractmethod
    def make_queries(self, memory: Tensor, first_stage: FirstStage | None, query_embed: Any) -> dict[str, Any]:
        """The decoder's ``query``, ``key``, ``query_pos`` and ``reference_points`` for (B, S, C) memory."""

    def first_stage_outputs(self, first_stage: FirstStage) -> tuple[Tensor, ...]:
        """What ``forward`` returns of the first stage; here (B, S, K) logits and (B, S, 4) boxes before the sigmoid."""
        return first_stage.logits, first_stage.box_logits
