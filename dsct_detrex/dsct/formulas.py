"""Formulas of fusion: which queries share a softmax once the contexts are chosen (paper Eq. 8), one function each.

A formula gets the choices (Eq. 6 and 7; a list that is switched off is not among them) and says who takes part in every
softmax. The sums that the softmaxes give are added. A further one is a function below, or in a module that a config
imports, under ``@register_formula()``; its name is then a value of ``model.aggregation.formula``.

Shapes: B images, N subject queries, M context queries.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from torch import Tensor

from dsct_detrex.dsct.named_functions import check_name_is_free, find_by_name


class Softmax(NamedTuple):
    """Who takes part in one softmax of every subject; nobody else does.

    Attributes:
        contexts: (B, N, M) bool, contexts that do; None: none of them.
        twice: (B, N, M) bool, contexts of these that count twice, as if they stood there two times; None: none.
        subjects: all subjects, the subject itself among them, but for those that a mask hides.
        own: the subject itself alone.
    """

    contexts: Tensor | None = None
    twice: Tensor | None = None
    subjects: bool = False
    own: bool = False


Softmaxes = Callable[[Sequence[Tensor]], list[Softmax]]
"""From the (B, N, M) masks of the choices, none to two, to the softmaxes."""


class Formula(NamedTuple):
    """An entry of ``FORMULAS``.

    Attributes:
        softmaxes: who shares them.
        heads: several heads, with projections of their own, run them (``multi_head.RelationalHeads``).
    """

    softmaxes: Softmaxes
    heads: bool

    @property
    def among_subjects(self) -> bool:
        """Whether subjects are gathered even where no context is chosen."""
        return any(softmax.subjects for softmax in self.softmaxes([]))


FORMULAS: dict[str, Formula] = {}
"""Every known formula by name, in the order of registration."""


def register_formula(heads: bool = False) -> Callable[[Softmaxes], Softmaxes]:
    """Make a function known as the formula of its name.

    Args:
        heads: let several heads run its softmaxes over trained projections, instead of one over the states.

    Raises:
        UserError: the name is taken by another function.
    """

    def register(softmaxes: Softmaxes) -> Softmaxes:
        name = softmaxes.__name__
        known = FORMULAS.get(name)
        check_name_is_free(softmaxes, known and known.softmaxes, "register_formula()")
        FORMULAS[name] = Formula(softmaxes, heads)
        return softmaxes

    return register


def find_formula(name: str) -> Formula:
    """The formula of a name.

    Raises:
        UserError: there is none; the message lists those there are.
    """
    return find_by_name(FORMULAS, name, "RelationalAggregation(formula=)")


@register_formula()
def official(chosen: Sequence[Tensor]) -> list[Softmax]:
    """One for every list, and one over all subjects (``models/deformable_transformer_dsct.py``)."""
    return [*(Softmax(mask) for mask in chosen), Softmax(subjects=True)]


@register_formula()
def paper(chosen: Sequence[Tensor]) -> list[Softmax]:
    """One over both lists as they stand behind each other, so that a context of both counts twice (Eq. 8)."""
    if not chosen:
        return []
    return [Softmax(chosen[0] | chosen[-1], twice=chosen[0] & chosen[1] if len(chosen) > 1 else None)]


@register_formula(heads=True)
def multi_head(chosen: Sequence[Tensor]) -> list[Softmax]:
    """One for every head over the union of both lists. Ours, not the paper's.

    A context of both counts once: the lists say who may be attended to, and how much is for the heads to learn.
    Counting twice would prefer such contexts by a constant that keys, which know of no lists, could not take back.
    """
    return [Softmax(chosen[0] | chosen[-1])] if chosen else []
