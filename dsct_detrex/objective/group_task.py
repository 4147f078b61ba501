"""What a training-only group of queries is asked to do, so that one criterion judges subjects and groups alike.

Shapes: B images, S queries of the group.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from dsct_detrex.objective.assignment import Assigner


@dataclass(frozen=True)
class GroupTask:
    """One kind of extra queries and how to judge them.

    Attributes:
        name: ends the names of the losses: ``dn`` gives ``loss_class_dn``, ``loss_class_dn_0`` ...
        weight: factor of these losses beside the subjects' own.
        assigner: decides which query answers for which person.
        answers: how many answers this process's batch asks for; the sums over the batch are divided by it.
        padding: (B, S) bool, True = an empty slot that is not judged; None: there is none.
    """

    name: str
    weight: float
    assigner: Assigner
    answers: int
    padding: Tensor | None = None
