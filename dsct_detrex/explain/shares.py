"""How weight is shared among groups, and how it would be if it were given blindly. Pure arithmetic.

Beside the share that a group really gets stand three others:

* uniform: every context has the same weight. This is also the mean over all ways of giving the same weights to contexts
  drawn at random, because in these every context gets every weight equally often.
* random: the same weights given to contexts drawn at random (``draws`` seeded times), of which the spread is of
  interest: a share within it is no better than luck.
* nearest: equal weights for as many contexts as were chosen, the nearest ones: what closeness alone would give.

Shapes: M contexts, G groups, D draws.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def weight_shares(weights: Floats, groups: Integers, num_groups: int) -> Floats:
    """(G,) shares of the weight, summing to 1.

    Args:
        weights: (M,) not negative, not all 0; 0 where a context was not chosen.
        groups: (M,) in [0, G).
    """
    totals = np.bincount(groups, weights, num_groups)
    assert totals.sum() > 0, "some context was chosen"
    return np.asarray(totals / totals.sum())


def uniform_shares(groups: Integers, num_groups: int) -> Floats:
    """(G,) shares of the contexts."""
    return weight_shares(np.ones(len(groups)), groups, num_groups)


def nearest_shares(distances: Floats, groups: Integers, num_groups: int, chosen: int) -> Floats:
    """(G,) shares among the ``chosen`` contexts of least distance; of equal ones the first count.

    Args:
        distances: (M,).
        chosen: 1 to M.
    """
    nearest = np.argsort(distances, kind="stable")[:chosen]
    return uniform_shares(groups[nearest], num_groups)


def random_shares(weights: Floats, groups: Integers, num_groups: int, draws: int, dice: np.random.Generator) -> Floats:
    """(D, G) shares where the same weights fall on contexts drawn at random."""
    scattered = dice.permuted(np.broadcast_to(weights, (draws, len(weights))), axis=1)
    members = np.eye(num_groups)[groups]  # (M, G)
    return np.asarray(scattered @ members / weights.sum())
