"""Who may look at whom: the self-attention and fusion masks of contexts, subjects and training-only groups.

Rows may look at columns:

| | contexts | subjects | own group | other groups |
|---|---|---|---|---|
| contexts | yes | yes (official) or no | - | no |
| subjects | yes | yes | - | no |
| a group | yes | no | yes | no |

A training-only group (denoising, one-to-many) is thus a replica of the inference computation: it reads what inference
reads, and nothing reads it. Contexts must not see groups either, since subjects re-read contexts.
"""

from __future__ import annotations

import torch
from torch import Tensor


def subject_mask(groups: Tensor | None, padding: Tensor | None = None) -> Tensor | None:
    """(S, S) bool, or (B, S, S) with padding, True = blocked: a subject sees its own group, itself always.

    Args:
        groups: (S,) int64 group of every subject query, 0 = inference; None: nothing is blocked.
        padding: (B, S) bool, True = an empty slot, which only itself sees; or None.
    """
    if groups is None:
        return None
    other_group = groups[:, None] != groups[None, :]
    if padding is None:
        return other_group
    others = ~torch.eye(len(groups), dtype=torch.bool, device=groups.device)
    return other_group | (padding[:, None, :] & others)


def query_padding(num_contexts: int, padding: Tensor | None) -> Tensor | None:
    """(B, Q) bool for self-attention, True = nobody looks there: no context, and the (B, S) empty slots."""
    return None if padding is None else torch.nn.functional.pad(padding, (num_contexts, 0), value=False)


def self_attention_mask(
    num_contexts: int, num_subjects: int, groups: Tensor | None, contexts_see_subjects: bool, device: torch.device
) -> Tensor | None:
    """(Q, Q) bool, True = blocked, for contexts first, then subjects; None when nothing is blocked.

    Args:
        num_contexts: M.
        num_subjects: S, all groups together.
        groups: (S,) int64, or None.
        contexts_see_subjects: whether contexts may look at the subjects of group 0, as in the official code.
    """
    if groups is None and contexts_see_subjects:
        return None
    if groups is None:
        groups = torch.zeros(num_subjects, dtype=torch.int64, device=device)
    total = num_contexts + num_subjects
    mask = torch.zeros(total, total, dtype=torch.bool, device=device)
    mask[num_contexts:, num_contexts:] = groups[:, None] != groups[None, :]
    mask[:num_contexts, num_contexts:] = (groups != 0) if contexts_see_subjects else True
    return mask
