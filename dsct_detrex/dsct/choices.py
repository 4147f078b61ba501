"""Choices of contexts: the k with the smallest or largest scores, as a set and as a list (paper Eq. 6 and 7).

Fusion needs the set, which no sort is needed for; pictures and comparisons want the list, which is sorted when asked
for. Of equal scores the lower index comes first, in both.

Shapes: B images, N subject queries, M context queries, Q = M + N.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True)
class Choice:
    """The k best contexts of every subject.

    Attributes:
        scores: (B, N, M).
        k: number chosen, 0 <= k; more than there are takes all.
        largest: whether the best are those with the largest scores, instead of the smallest.
    """

    scores: Tensor
    k: int
    largest: bool = False
    _made: list[Tensor] = field(default_factory=list, repr=False)

    @property
    def mask(self) -> Tensor:
        """(B, N, M) bool, True = chosen; made once (not by ``cached_property``, whose lock breaks compiled graphs)."""
        if not self._made:
            self._made.append(self._mask())
        return self._made[0]

    def _mask(self) -> Tensor:
        scores, k = self.scores, self.k
        if k >= scores.shape[-1]:
            return torch.ones_like(scores, dtype=torch.bool)
        if k == 0:
            return torch.zeros_like(scores, dtype=torch.bool)
        best = scores.topk(k, largest=self.largest, sorted=False).values
        last = best.amin(-1, keepdim=True) if self.largest else best.amax(-1, keepdim=True)
        better = scores > last if self.largest else scores < last
        equal = scores == last
        places_left = k - better.sum(-1, keepdim=True)
        return better | (equal & (equal.cumsum(-1, dtype=torch.int64) <= places_left))

    @property
    def index(self) -> Tensor:
        """(B, N, min(k, M)) int64 indices into M, the best first."""
        return self.scores.argsort(dim=-1, descending=self.largest, stable=True)[..., : self.k]

    def emptied(self) -> Choice:
        """The same scores, nobody chosen."""
        return Choice(self.scores, 0, self.largest)


@dataclass(frozen=True)
class Places:
    """Where the queries of a layer are. One object serves all layers of a decoder whose references stay.

    Attributes:
        points: (B, Q, 2) xy in [0, 1], contexts first; no gradient flows to them, for they only select.
        num_contexts: M.
    """

    points: Tensor
    num_contexts: int
    _nearest: dict[int, Choice] = field(default_factory=dict)

    @property
    def contexts(self) -> Tensor:
        """(B, M, 2)."""
        return self.points[:, : self.num_contexts]

    @property
    def subjects(self) -> Tensor:
        """(B, N, 2)."""
        return self.points[:, self.num_contexts :]

    def nearest(self, k: int) -> Choice:
        """The k contexts closest to every subject (Eq. 6), measured once."""
        if k not in self._nearest:
            self._nearest[k] = Choice(squared_distance(self.subjects, self.contexts), k)
        return self._nearest[k]


def squared_distance(subject_xy: Tensor, context_xy: Tensor) -> Tensor:
    """(B, N, M) squared Euclidean distances in float32; references only select, so nothing is differentiated."""
    subject_xy, context_xy = subject_xy.detach().float(), context_xy.detach().float()
    dx = subject_xy[..., None, 0] - context_xy[:, None, :, 0]
    dy = subject_xy[..., None, 1] - context_xy[:, None, :, 1]
    return dx * dx + dy * dy
