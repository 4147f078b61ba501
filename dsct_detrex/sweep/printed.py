"""What the paper prints beside the rows that are trained here: systems it quotes, and gaps that its text names.

Kinds of emotions, label sets by name, stand for the data set that a number is of. Numbers are accuracies where a person
has one emotion, mAP where several, in per cent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from dsct_detrex.data.catalogue import label_sets
from dsct_detrex.errors import UserError
from dsct_detrex.evaluation.metrics import COUNT_GROUPS

PEOPLE_GROUPS = tuple(group for group, _, _ in COUNT_GROUPS)
"""Numbers of annotated people in an image: ``"1"`` to ``"4"`` and ``"5plus"``."""

Value = TypeVar("Value")


def by_kind(numbers: Mapping[str, Value | None] | None, owner: str) -> dict[str, Value]:
    """A mapping from kinds of emotions as a plain one, unknown numbers left out.

    Args:
        owner: whose it is, for the message: ``"Cell(paper=) of 'dino'"``.

    Raises:
        UserError: a key that is no kind of emotions.
    """
    known = label_sets()
    unknown = [kind for kind in numbers or {} if kind not in known]
    if unknown:
        raise UserError(f"{owner} expects keys of {', '.join(known)}. Got {unknown[0]!r}.")
    return {kind: value for kind, value in (numbers or {}).items() if value is not None}


def by_people(numbers: Mapping[str, float], owner: str) -> dict[str, float]:
    """A mapping from numbers of people as a plain one.

    Raises:
        UserError: a key that is no such group.
    """
    unknown = [group for group in numbers if group not in PEOPLE_GROUPS]
    if unknown:
        raise UserError(f"{owner} expects keys of {', '.join(PEOPLE_GROUPS)}. Got {unknown[0]!r}.")
    return dict(numbers)


class Printed:
    """What the paper prints for a row of a table.

    Args:
        label: how tables call the row.
        paper: kind of emotions -> the number as printed, in per cent.
        params_m: parameters as printed, in millions.
        backbone: its networks, as printed.
        owner: whose it is, for messages.
    """

    def __init__(
        self,
        label: str,
        paper: Mapping[str, float | None] | None,
        params_m: float | None,
        backbone: str,
        owner: str,
    ) -> None:
        self.label = label
        self.paper = by_kind(paper, owner)
        self.params_m = params_m
        self.backbone = backbone


class Quoted(Printed):
    """A system of others that the paper lists with its number; it is shown as printed and never trained.

    Args:
        label: how the paper calls it.
        paper, params_m, backbone: see ``Printed``.
    """

    def __init__(
        self, label: str, paper: Mapping[str, float | None], params_m: float | None = None, backbone: str = ""
    ) -> None:
        super().__init__(label, paper, params_m, backbone, f"Quoted(paper=) of {label!r}")


class Gap:
    """One row above another by a number of points, as the paper's text says it.

    Args:
        better, worse: names of cells.
        paper: kind of emotions -> points, as printed.
        about: what it is the gain of, in words.
    """

    def __init__(self, better: str, worse: str, paper: Mapping[str, float | None], about: str) -> None:
        self.better = better
        self.worse = worse
        self.paper = by_kind(paper, f"Gap(paper=) of {about!r}")
        self.about = about
