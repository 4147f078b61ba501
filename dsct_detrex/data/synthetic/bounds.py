"""The best score any model can reach on the synthetic scenes, by enumeration of the table (no sampling).

A model that sees only some cues cannot tell two people with the same cues apart. All people with the same visible cues
form one *atom*: its mass, and for every category the mass of its people that carry the label. Bayes' rule on the
atoms gives the best prediction, hence the best accuracy (take the likeliest class of each atom) and the best average
precision (rank by P(category | visible cues)).

Average precision and ties: people of one atom are indistinguishable, yet a network's scores differ by a hair, so they
come in random order. With N people ranked before an atom, T of them positive, an atom of mass m and positive share p
adds ``(p / pi) * integral_0^m (T + p t) / (N + t) dt`` to AP, ``pi`` being the prevalence. That is the
infinite-sample limit of ``sklearn.average_precision_score`` for scores *without* ties and the largest value reachable;
``ties="grouped"`` gives sklearn's value for exactly tied scores, which is smaller.

Shapes: A atoms, K categories.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from dsct_detrex.structures import get_emotions

from . import table
from .table import Array

Format = Literal["caer_s", "emotic"]
Ties = Literal["random", "grouped"]

INFORMATION: dict[str, tuple[str, ...]] = {
    "chance": (),
    "face_only": ("expression",),
    "scene_only": ("scene",),
    "face_near": ("expression", "object"),
    "everything": ("scene", "expression", "object"),
}
"""Which cues each bound may look at. Other people of the image depend on the person only through the scene, which is
visible, so they add nothing to ``everything``."""

_AXES = {"scene": 0, "expression": 2, "object": 3}  # of table.joint(); axis 1 is the emotion, never visible


def atoms(format: Format, visible: tuple[str, ...]) -> tuple[Array, Array]:
    """People grouped by what a model can see.

    Args:
        format: whose annotation.
        visible: any of ``scene``, ``expression``, ``object``.

    Returns:
        mass (A,), summing to 1, and positive mass (A, K): the part of each atom that carries each label.

    Raises:
        ValueError: an unknown format or cue.
    """
    if set(visible) - set(_AXES):
        raise ValueError(f"atoms(visible=) expects some of {', '.join(_AXES)}. Got {visible!r}.")
    joint = table.joint()
    if format == "caer_s":
        positive = np.einsum("sefo,ec->sfoc", joint, table.caer_s_label_given_emotion())
    elif format == "emotic":
        positive = np.einsum("sefo,seoc->sfoc", joint, table.emotic_label_given_latents())
    else:
        raise ValueError(f"atoms(format=) expects 'caer_s' or 'emotic'. Got {format!r}.")
    mass = joint.sum(1)
    hidden = tuple(i for i, cue in enumerate(("scene", "expression", "object")) if cue not in visible)
    return mass.sum(hidden).reshape(-1), positive.sum(hidden).reshape(-1, positive.shape[-1])


def best_accuracy(mass: Array, positive: Array) -> float:
    """Accuracy of naming each atom's likeliest class; the K classes exclude each other."""
    return float(positive.max(1).sum() / mass.sum())


def best_average_precision(mass: Array, positive: Array, ties: Ties = "random") -> float:
    """AP of ranking the atoms of one category by their share of positives.

    Args:
        mass: (A,); atoms without mass are ignored.
        positive: (A,) mass of the positives, at most ``mass``.
        ties: see the module docstring.
    """
    mass, positive = mass[mass > 0], positive[mass > 0]
    score = np.round(positive / mass, 12)  # atoms that differ by rounding are tied
    order = np.argsort(-score, kind="stable")
    starts = np.flatnonzero(np.diff(score[order], prepend=np.inf))
    m, pos = np.add.reduceat(mass[order], starts), np.add.reduceat(positive[order], starts)
    ranked, found = np.cumsum(m), np.cumsum(pos)
    if ties == "grouped":
        return float((pos * found / ranked).sum() / found[-1])
    before, found_before, share = ranked - m, found - pos, pos / m
    growth = np.log(ranked[1:] / before[1:])
    area = share * pos  # first atom: the precision is its share throughout
    area[1:] = share[1:] * (pos[1:] + (found_before[1:] - share[1:] * before[1:]) * growth)
    return float(area.sum() / found[-1])


def synthetic_bounds(format: Format = "caer_s") -> dict[str, dict[str, float]]:
    """Best reachable scores, ``{metric: {level: score}}`` with the levels of ``INFORMATION``.

    Metrics (all in [0, 1]): ``mAP``, the mean over categories of the one-vs-rest AP; for ``caer_s`` also ``acc``.

    Raises:
        ValueError: an unknown format.
    """
    grouped = {level: atoms(format, visible) for level, visible in INFORMATION.items()}
    bounds = {"mAP": {level: float(np.mean(_category_aps(*found))) for level, found in grouped.items()}}
    if format == "caer_s":
        bounds["acc"] = {level: best_accuracy(*found) for level, found in grouped.items()}
    return bounds


def category_bounds(format: Format = "emotic") -> dict[str, dict[str, float]]:
    """Best reachable AP per category, ``{category: {level: AP}}``, levels as in ``synthetic_bounds``."""
    levels = {level: _category_aps(*atoms(format, visible)) for level, visible in INFORMATION.items()}
    names = get_emotions(format).names
    return {name: {level: aps[c] for level, aps in levels.items()} for c, name in enumerate(names)}


def _category_aps(mass: Array, positive: Array) -> list[float]:
    return [best_average_precision(mass, column) for column in positive.T]


def synthetic_references(format: Format = "caer_s") -> dict[str, float]:
    """The bounds of a format's primary metric, for printing beside results: ``acc`` of caer_s, ``mAP`` of emotic.

    Args:
        format: whose emotions the scenes show.
    """
    bounds = synthetic_bounds(format)
    return bounds.get("acc", bounds["mAP"])
