"""What fusion does to one subject in one layer, as seven numbers.

Weights are taken as shares of what all contexts of the subject weigh together: the official formula gives two sums of
one each. Heads are averaged before, so that several sharp heads count as one broad choice.

Shapes: B images, M contexts, N subjects, H heads, C channels.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from dsct_detrex.diagnosis.passing import Fused

MEASURES = {
    "largest": "largest weight of a context",
    "effective": "effective number of contexts",
    "chosen": "contexts chosen",
    "length": "length of what is added, over the subject's",
    "cosine": "cosine of what is added with the subject",
    "overlap": "overlap of both lists (Jaccard)",
    "spread": "standard deviation of products",
}
"""Key -> in words. ``effective`` is the exponential of the weights' entropy, ``overlap`` the intersection of both lists
over their union, ``spread`` the standard deviation, over the chosen contexts, of what the softmax runs over."""


@torch.no_grad()
def measures_of(fused: Fused) -> dict[str, Tensor]:
    """Key of ``MEASURES`` -> (B, N) float64; NaN where there is no such number."""
    m, left = fused.num_contexts, fused.left
    subjects = fused.entered[:, m:].double()
    added = left.queries[:, m:].double() - subjects
    weights = left.weights.double()
    shares = weights / weights.sum(-1, keepdim=True)  # NaN where nobody was chosen
    nearest, relevant = left.nearest.mask, left.relevant.mask
    chosen, both = nearest | relevant, nearest & relevant
    two_lists = bool(left.nearest.k and left.relevant.k)
    length = added.norm(dim=-1)
    return {
        "largest": shares.amax(-1),
        "effective": torch.special.entr(shares).sum(-1).exp(),
        "chosen": chosen.sum(-1).double(),
        "length": length / subjects.norm(dim=-1),
        "cosine": cosine_similarity(added, subjects, dim=-1).where(length > 0, torch.nan),
        "overlap": both.sum(-1) / chosen.sum(-1).double() if two_lists else torch.full_like(length, torch.nan),
        "spread": _spread(fused, chosen),
    }


def _spread(fused: Fused, chosen: Tensor) -> Tensor:
    """(B, N) standard deviation over the chosen contexts, the mean over heads."""
    exponents = fused.module.exponents(fused.entered, fused.left.places)[..., : fused.num_contexts].double()
    among = chosen[:, None]  # (B, 1, N, M)
    count = among.sum(-1)
    mean = exponents.where(among, 0).sum(-1) / count
    squares = (exponents - mean[..., None]).square().where(among, 0)
    return (squares.sum(-1) / count).sqrt().mean(1)
