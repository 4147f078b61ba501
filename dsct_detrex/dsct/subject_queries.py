"""Subject queries: the N learnable queries that DSCT appends to a host's decoder (paper section 3.1).

Like every decoder query a subject has a content (what) and a place (where). Hosts differ in how a place is stated: as
a learned position embedding, as an anchor (logits of a reference point or box), or as both; the host's adapter says
which (``QuerySpec``), so that subjects look to the host like its own queries.

Shapes: B images, N subject queries, C channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

_R2 = (0.7548776662466927, 0.5698402909980532)
"""Steps of the two-dimensional R2 low-discrepancy sequence: 1 / g and 1 / g^2 with g^3 = g + 1."""


@dataclass(frozen=True)
class QuerySpec:
    """How a host states the place of a query.

    Attributes:
        embed_dim: C.
        position: queries own a learned position embedding (C channels).
        anchor_dim: queries own an anchor of this many logits: 0 (none), 2 (xy) or 4 (cxcywh).
    """

    embed_dim: int
    position: bool
    anchor_dim: int


@dataclass
class Subjects:
    """Subject queries of a batch, as they enter the decoder.

    Attributes:
        content: (B, N, C).
        position: (B, N, C) position embedding, or None where the host computes positions from references.
        anchor: (B, N, 2 | 4) xy or cxcywh in [0, 1] of the unpadded image, or None where the host derives references
            from the position.
        groups: (N,) int64; 0 are the subjects of inference, every other number is a training-only group that nothing
            outside it may see. None: all are 0.
        padding: (B, N) bool, True = an empty slot that nobody may see, for images with fewer queries than others.
            None: there is none.
    """

    content: Tensor
    position: Tensor | None
    anchor: Tensor | None
    groups: Tensor | None = None
    padding: Tensor | None = None

    def __len__(self) -> int:
        return self.content.shape[1]

    @classmethod
    def join(cls, parts: Sequence[Subjects]) -> Subjects:
        """The queries of several parts, in order.

        Args:
            parts: of one batch. The first decides what the host needs: without an anchor there, none is kept; where its
                anchors are points, the centres of the others' boxes are.

        Raises:
            ValueError: a part lacks the position or the anchor that the first one has.
        """
        first = parts[0]
        anchor_dim = 0 if first.anchor is None else first.anchor.shape[-1]
        positions = [part.position for part in parts if part.position is not None]
        anchors = [part.anchor[..., :anchor_dim] for part in parts if part.anchor is not None]
        for name, wanted, found in (("position", first.position, positions), ("anchor", first.anchor, anchors)):
            if wanted is not None and len(found) < len(parts):
                raise ValueError(
                    f"Subjects.join(parts=) expects a {name} in every part, as in the first. One has none."
                )
        padded = any(part.padding is not None for part in parts)
        return cls(
            content=torch.cat([part.content for part in parts], 1),
            position=None if first.position is None else torch.cat(positions, 1),
            anchor=None if first.anchor is None else torch.cat(anchors, 1),
            groups=torch.cat([part._groups() for part in parts]),
            padding=torch.cat([part._padding() for part in parts], 1) if padded else None,
        )

    def _groups(self) -> Tensor:
        return self.content.new_zeros(len(self), dtype=torch.int64) if self.groups is None else self.groups

    def _padding(self) -> Tensor:
        shape = self.content.shape[:2]
        return self.content.new_zeros(shape, dtype=torch.bool) if self.padding is None else self.padding


class SubjectQueries(nn.Module):
    """The learned table of subject queries.

    Args:
        num_subjects: N; 0 gives the untouched host, for checks.
        spec: what the host needs of a query.

    Raises:
        ValueError: a negative number of subjects.
    """

    position: nn.Parameter | None
    anchor: nn.Parameter | None

    def __init__(self, num_subjects: int, spec: QuerySpec) -> None:
        super().__init__()
        if num_subjects < 0:
            raise ValueError(f"SubjectQueries(num_subjects=) expects an int >= 0. Got {num_subjects}.")
        self.content = nn.Parameter(torch.randn(num_subjects, spec.embed_dim))
        self.position = nn.Parameter(torch.randn(num_subjects, spec.embed_dim)) if spec.position else None
        self.anchor = nn.Parameter(spread_anchors(num_subjects, spec.anchor_dim)) if spec.anchor_dim else None

    def forward(self, batch_size: int) -> Subjects:
        """Repeat the table for every image of a batch."""

        def repeat(table: Tensor | None) -> Tensor | None:
            return None if table is None else table.expand(batch_size, -1, -1)

        anchor = repeat(self.anchor)
        return Subjects(
            content=self.content.expand(batch_size, -1, -1),
            position=repeat(self.position),
            anchor=None if anchor is None else anchor.sigmoid(),
        )


def spread_anchors(count: int, anchor_dim: int, size: float = 0.3) -> Tensor:
    """Initial anchor logits whose centres cover the image evenly, whatever their number.

    Args:
        count: N.
        anchor_dim: 2 (xy) or 4 (cxcywh).
        size: initial width and height in [0, 1], for 4.

    Returns:
        (N, anchor_dim) logits.
    """
    steps = torch.arange(1, count + 1, dtype=torch.float64)[:, None] * torch.tensor(_R2, dtype=torch.float64)
    centres = ((0.5 + steps) % 1.0).clamp(0.05, 0.95)
    sizes = torch.full((count, anchor_dim - 2), size, dtype=torch.float64)
    return torch.cat([centres, sizes], -1).logit().float()


def no_subjects(batch_size: int, spec: QuerySpec, like: Tensor) -> Subjects:
    """Not a single subject, in the form that the host needs of its queries.

    Args:
        like: whose type and device they have.
    """
    nothing = like.new_zeros(batch_size, 0, spec.embed_dim)
    return Subjects(
        content=nothing,
        position=nothing if spec.position else None,
        anchor=like.new_zeros(batch_size, 0, spec.anchor_dim) if spec.anchor_dim else None,
    )
