"""DETA's transformer: Deformable DETR's with proposals picked as a detector picks them, level by level with NMS.

Shape shorthand in this module: B images, S tokens, M context queries, V levels, C channels, K classes.

Source: DETA (NMS Strikes Back), arXiv:2212.06137, section 3; keywords of ``DeformableDetrTransformer`` in detrex's
projects/deta.
"""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torchvision.ops import batched_nms

from dsct_detrex.hosts.deformable_decoder import DeformableDetrTransformerDecoder
from dsct_detrex.hosts.deformable_encoder import DeformableDetrTransformerEncoder
from dsct_detrex.hosts.deformable_transformer import DeformableDetrTransformer
from dsct_detrex.hosts.multi_scale_transformer import FirstStage
from dsct_detrex.layers.boxes import box_cxcywh_to_xyxy
from dsct_detrex.layers.levels import Levels

# Tokens that enter NMS for each level, and the overlap above which the lower one goes.
CANDIDATES_PER_LEVEL = 1000
PROPOSAL_IOU = 0.9


class DETATransformer(DeformableDetrTransformer):
    """Call it as ``transformer(feats, masks, pos_embeds, query_embed)``; a sixth value is returned, the anchors.

    Args:
        assign_first_stage: pick proposals by NMS with an equal share of each level; else by score alone.

    Attributes:
        pix_trans, pix_trans_norm: from a proposed token to what its content adds to that of its box.
    """

    num_first_stage_outputs: ClassVar[int] = 3

    def __init__(
        self,
        encoder: DeformableDetrTransformerEncoder,
        decoder: DeformableDetrTransformerDecoder,
        num_feature_levels: int = 4,
        as_two_stage: bool = False,
        two_stage_num_proposals: int = 300,
        assign_first_stage: bool = True,
    ) -> None:
        super().__init__(encoder, decoder, num_feature_levels, as_two_stage, two_stage_num_proposals)
        self.assign_first_stage = assign_first_stage
        if as_two_stage:
            self.pix_trans = nn.Linear(self.embed_dim, self.embed_dim)
            self.pix_trans_norm = nn.LayerNorm(self.embed_dim)
            nn.init.xavier_uniform_(self.pix_trans.weight)

    def make_queries(self, memory: Tensor, first_stage: FirstStage | None, query_embed: Any) -> dict[str, Any]:
        """As Deformable DETR's; the content of a proposal is told by its token too."""
        queries = super().make_queries(memory, first_stage, query_embed)
        if first_stage is not None:
            queries["query"] = queries["query"] + self.pix_trans_norm(self.pix_trans(first_stage.content))
        return queries

    def first_stage_outputs(self, first_stage: FirstStage) -> tuple[Tensor, ...]:
        """(B, S, K) logits, (B, S, 4) boxes before the sigmoid, and (B, S, 4) anchors, sigmoid."""
        return *super().first_stage_outputs(first_stage), first_stage.grid.sigmoid()

    def choose(self, logits: Tensor, box_logits: Tensor, levels: Levels) -> Tensor:
        """(B, M) int64: the tokens to propose, best first; all tokens where there are fewer than M."""
        if not self.assign_first_stage or logits.is_meta:  # NMS needs scores, the meta device has shapes only
            return super().choose(logits, box_logits, levels)
        areas = levels.spatial_shapes.prod(1)
        level = torch.arange(len(areas), device=areas.device).repeat_interleave(areas, output_size=logits.shape[1])
        boxes = box_cxcywh_to_xyxy(box_logits.sigmoid().float()).clamp(0, 1)
        scores = self.proposal_scores(logits).float()
        count = min(self.two_stage_num_proposals, logits.shape[1])
        return torch.stack(
            [
                share_levels(surviving_tokens(b, s, level, len(areas), count), level, len(areas), count)
                for b, s in zip(boxes, scores)
            ]
        )


def surviving_tokens(boxes: Tensor, scores: Tensor, level: Tensor, num_levels: int, count: int) -> Tensor:
    """The tokens of one image that NMS within each level leaves, best first.

    Every level sends its best 1000 tokens. As in detrex a level with fewer is filled up with tokens of others, which
    still compete within their own level; so a small image sends all of its tokens.

    Args:
        boxes: (S, 4) ``xyxy`` in [0, 1].
        scores: (S,) logits.
        level: (S,) int64, below ``num_levels``.
        count: the number wanted; where NMS leaves fewer, the best ``count`` by score are returned instead.
    """
    candidates = min(CANDIDATES_PER_LEVEL, len(scores))
    ranked = [(scores.sigmoid() * (level == v)).topk(candidates).indices for v in range(num_levels)]
    sent = torch.cat(ranked)
    kept = sent[batched_nms(boxes[sent], scores[sent], level[sent], PROPOSAL_IOU)]
    return kept if len(kept) >= count else scores.topk(count).indices


def share_levels(tokens: Tensor, level: Tensor, num_levels: int, count: int) -> Tensor:
    """``count`` of the (n,) ``tokens``, in their order: the first of each level up to its share, then the first others.

    Args:
        tokens: (n,) int64, best first, n >= ``count``.
        level: (S,) int64 of all tokens, below ``num_levels``.
        count: the number wanted.
    """
    of_level = (level[tokens][:, None] == torch.arange(num_levels, device=level.device)).long()
    place = (of_level.cumsum(0) * of_level).sum(1)
    beyond_share = place > count // num_levels
    return tokens[beyond_share.int().argsort(stable=True)[:count].sort().values]
