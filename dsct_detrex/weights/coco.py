"""Class rows of COCO heads: 91 category ids, of which 80 exist, become the 80 contiguous classes that detrex counts."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

_ABSENT_IDS: Final = frozenset((12, 26, 29, 30, 45, 66, 68, 69, 71, 83))
_ROWS: Final = tuple(i for i in range(1, 91) if i not in _ABSENT_IDS)
_NUM_IDS: Final = 91


def contiguous_classes(head: Tensor, keeps_row_0: bool = False) -> Tensor:
    """Rows of a class head for the 80 categories; a head of another size (fine-tuned) stays as it is.

    Args:
        head: (R, ...) weight or bias; R is 91 with a row for every id, 92 with one more for "no object".
        keeps_row_0: the encoder head of a two-stage Deformable-DETR is read at class 0 only, whatever class that is
            called, so its row 0 must stay row 0.

    Returns:
        (80, ...), (81, ...) with the row of "no object" last, or ``head`` itself.
    """
    if len(head) not in (_NUM_IDS, _NUM_IDS + 1):
        return head
    rows = [0 if keeps_row_0 else _ROWS[0], *_ROWS[1:]]
    return head[torch.tensor([*rows, _NUM_IDS] if len(head) > _NUM_IDS else rows)]
