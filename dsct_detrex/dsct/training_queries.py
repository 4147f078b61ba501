"""Queries that exist in training only: spoilt people as decoder queries, and the groups that ride beside the subjects.

Every group goes through the same decoder and heads as the subjects, in the same pass, and nothing outside a group sees
it (``masks``). Which people are spoilt how, and what a group is asked, is the objective's business
(``objective.denoising``, ``objective.one_to_many``); here it becomes content and place of queries.

Sources: DN-DETR, arXiv:2203.01305, section 4; DINO, arXiv:2203.03605, section 3.3; H-DETR, arXiv:2207.13080.

Shapes: B images, S queries of a group, C channels, K emotions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from dsct_detrex.dsct.adapters import HostAdapter
from dsct_detrex.dsct.subject_queries import QuerySpec, SubjectQueries, Subjects
from dsct_detrex.layers.mlp import MLP
from dsct_detrex.layers.position_embedding import get_sine_pos_embed
from dsct_detrex.objective.assignment import Assigner
from dsct_detrex.objective.denoising import Denoising, NoisedPeople
from dsct_detrex.objective.group_task import GroupTask
from dsct_detrex.objective.one_to_many import OneToMany
from dsct_detrex.objective.targets import Target
from dsct_detrex.structures import Emotions

_SINE_FEATS = 128
"""Channels for each coordinate of a box, as in the hosts that embed boxes themselves."""


class DenoisingQueries(nn.Module):
    """Spoilt people -> queries: the emotions are the content, the box is the place.

    A person's categories are embedded and summed, so one table serves both kinds of emotions; a learned indicator says
    "this is a person to mend". Hosts that own positions get one from the sine embedding of the box, the others make
    theirs from the anchor.

    Args:
        num_emotions: K.
        spec: what the host needs of a query.
    """

    def __init__(self, num_emotions: int, spec: QuerySpec) -> None:
        super().__init__()
        self.emotions = nn.Parameter(torch.randn(num_emotions, spec.embed_dim))
        self.indicator = nn.Parameter(torch.zeros(spec.embed_dim))
        self.position = MLP(4 * _SINE_FEATS, spec.embed_dim, spec.embed_dim, 2) if spec.position else None

    def forward(self, people: NoisedPeople) -> Subjects:
        """One query for every slot; its anchor is the box, whatever part of it the host uses."""
        boxes = people.boxes.to(self.emotions.dtype)
        return Subjects(
            content=people.emotions.to(self.emotions.dtype) @ self.emotions + self.indicator,
            position=None if self.position is None else self.position(get_sine_pos_embed(boxes, _SINE_FEATS)),
            anchor=boxes,
            groups=people.groups,
            padding=people.padding,
        )


class TrainingQueries(nn.Module):
    """The training-only groups of a model.

    Args:
        emotions: what the emotion logits mean.
        spec: what the host needs of a query.
        denoising: recipe of the denoising groups; None: there are none.
        one_to_many: recipe of the one-to-many group; None: there is none.
    """

    def __init__(
        self, emotions: Emotions, spec: QuerySpec, denoising: Denoising | None, one_to_many: OneToMany | None
    ) -> None:
        super().__init__()
        self.kind = emotions
        self.recipes = (denoising, one_to_many)
        self.denoising = None if denoising is None else DenoisingQueries(emotions.num_emotions, spec)
        self.one_to_many = None if one_to_many is None else SubjectQueries(one_to_many.num_queries, spec)

    def forward(self, targets: Sequence[Target], matcher: Assigner) -> list[tuple[Subjects, GroupTask]]:
        """The groups of one batch, numbered from 1, and what is asked of each.

        Args:
            targets: one for each of the B images.
            matcher: the rule by which the subjects themselves are assigned.
        """
        denoising, one_to_many = self.recipes
        groups, last = [], 0
        if denoising is not None and self.denoising is not None:
            people = denoising(targets, self.kind)
            groups.append((self.denoising(people), people.task(denoising.weight)))
            last = people.num_groups
        if one_to_many is not None and self.one_to_many is not None:
            queries: Subjects = self.one_to_many(len(targets))
            number = torch.full((len(queries),), last + 1, device=queries.content.device)
            groups.append((replace(queries, groups=number), one_to_many.task(matcher, targets)))
        return groups


def join_groups(adapter: HostAdapter, subjects: Subjects, groups: Sequence[Subjects]) -> Subjects:
    """Subjects first, then the groups; references that the host derives from positions are stated, for all alike."""
    if not groups:
        return subjects
    return Subjects.join([replace(part, anchor=adapter.anchor(part)) for part in (subjects, *groups)])


def split_outputs(outputs: Mapping[str, Tensor], groups: Sequence[int]) -> list[dict[str, Tensor]]:
    """Take apart what the decoder predicted for subjects and groups at once.

    Args:
        outputs: tensors (L, B, N, ...) of all queries.
        groups: number of queries of each group.

    Returns:
        the outputs of the subjects, then those of each group.
    """
    parts = {
        name: torch.split_with_sizes(value, [value.shape[2] - sum(groups), *groups], 2)
        for name, value in outputs.items()
    }
    return [{name: values[index] for name, values in parts.items()} for index in range(1 + len(groups))]
