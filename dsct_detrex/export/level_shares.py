"""DETA's choice of proposals without loops over images: the same tokens, by operations that a tracer can follow.

``hosts/deta_transformer.py`` goes image by image through NMS and counts what is left. Here one NMS serves all images
and levels, each pair moved to a place of its own, and what is left is marked instead of listed. One thing is left out:
there, a level with fewer than 1000 tokens is filled up with arbitrary tokens of others, the 1001st and later of their
own level, which are chosen only where NMS leaves nearly nothing.

Shapes: B images, S tokens, V levels, M proposals.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision.ops import nms

from dsct_detrex.hosts.deta_transformer import CANDIDATES_PER_LEVEL, PROPOSAL_IOU, DETATransformer
from dsct_detrex.layers.boxes import box_cxcywh_to_xyxy
from dsct_detrex.layers.levels import Levels

_APART = 2.0
"""Boxes lie in [0, 1], so that those moved by multiples of this do not meet."""


def choose_by_level_shares(self: DETATransformer, logits: Tensor, box_logits: Tensor, levels: Levels) -> Tensor:
    """As ``DETATransformer.choose``: (B, M) int64, the best first; at least M tokens are asked for."""
    scores, count = self.proposal_scores(logits).float(), self.two_stage_num_proposals
    if not self.assign_first_stage:
        return scores.topk(count, dim=1).indices
    cells = [height * width for height, width in levels.sizes]
    numbers = [torch.full((some,), v, dtype=torch.int64, device=logits.device) for v, some in enumerate(cells)]
    boxes = box_cxcywh_to_xyxy(box_logits.sigmoid().float()).clamp(0, 1)
    level = torch.cat(numbers)
    kept = surviving(boxes, scores, level, best_of_levels(scores, cells))
    shared = share_levels(scores, kept, level, len(cells), count)
    enough = kept.sum(1, keepdim=True) >= count
    return torch.where(enough, shared, scores.topk(count, dim=1).indices)


def best_of_levels(scores: Tensor, cells: list[int]) -> Tensor:
    """(B, S) bool, the best 1000 tokens of each level; ``cells`` has the tokens of each level."""
    ranks = [part.argsort(1, descending=True).argsort(1) for part in torch.split(scores, cells, 1)]
    return torch.cat(ranks, 1) < CANDIDATES_PER_LEVEL


def surviving(boxes: Tensor, scores: Tensor, level: Tensor, sent: Tensor) -> Tensor:
    """(B, S) bool, what NMS within each level of each image leaves of the ``sent`` tokens.

    Args:
        boxes: (B, S, 4) ``xyxy`` in [0, 1].
        scores: (B, S).
        level: (S,) int64.
        sent: (B, S) bool.
    """
    image = torch.arange(scores.shape[0], device=scores.device)[:, None].expand_as(scores)
    move = torch.stack([image, level.expand_as(image)], -1) * _APART  # (B, S, 2)
    flat = sent.flatten().nonzero()[:, 0]
    apart = (boxes + move.repeat(1, 1, 2)).flatten(0, 1)[flat]
    left = flat[nms(apart, scores.flatten()[flat], PROPOSAL_IOU)]
    marks = torch.zeros_like(scores.flatten()).scatter(0, left, 1.0)
    return marks.view(scores.shape) > 0


def share_levels(scores: Tensor, kept: Tensor, level: Tensor, num_levels: int, count: int) -> Tensor:
    """(B, M) int64: of the ``kept`` tokens the first of each level up to its share, then the first others; best first.

    Args:
        scores: (B, S).
        kept: (B, S) bool; at least ``count`` in each image, else the result means nothing.
        level: (S,) int64, below ``num_levels``.
        count: M.
    """
    order = scores.masked_fill(~kept, -torch.inf).argsort(1, descending=True)
    known = kept.gather(1, order)
    of_level = ((level[order][..., None] == torch.arange(num_levels, device=level.device)) & known[..., None]).long()
    place = (of_level.cumsum(1) * of_level).sum(-1)
    group = (place > count // num_levels).long() + 2 * (~known).long()  # within the share, beyond it, not kept
    position = torch.arange(scores.shape[1], device=scores.device)
    first = (group * scores.shape[1] + position).topk(count, dim=1, largest=False).indices
    return order.gather(1, first.sort(1).values)
