"""Shares of context weight, summed person by person and layer by layer, and the table of their means.

Shapes: R rows (the layers that took contexts in, then all of them together), G groups, I images, D draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from dsct_detrex.explain.bootstrap import Floats, interval, mean_over_people
from dsct_detrex.explain.groups import GROUPS
from dsct_detrex.explain.shares import Integers, nearest_shares, random_shares, uniform_shares, weight_shares

DRAWS = 200
ALL_LAYERS = "all layers"
_MEASURES = ("weight", "uniform", "nearest")


class ShareTally:
    """Collects one model's shares.

    Args:
        images: I.
    """

    def __init__(self, images: int) -> None:
        self._images = images
        self._names: list[str] = []
        self._sums: Floats = np.zeros((images, 0, len(_MEASURES), len(GROUPS)))
        self._people = np.zeros(images)
        self._random: Floats = np.zeros((DRAWS, 0, len(GROUPS)))
        self._dice = np.random.default_rng(0)

    def add(self, image: int, layers: Sequence[tuple[int, Floats, Floats, Integers]]) -> None:
        """One person.

        Args:
            image: index of the picture.
            layers: of each layer that took contexts in, the same ones for everybody: its number, the (M,) weights and
                squared distances of the contexts, and the (M,) groups that they lie in.
        """
        if not self._names:
            self._names = [*(f"layer {number}" for number, *_ in layers), ALL_LAYERS]
            self._sums = np.zeros((self._images, len(self._names), len(_MEASURES), len(GROUPS)))
            self._random = np.zeros((DRAWS, len(self._names), len(GROUPS)))
        rows = np.array([_of_layer(*layer[1:]) for layer in layers])
        self._sums[image] += np.concatenate([rows, rows.mean(0, keepdims=True)])
        drawn = np.stack([random_shares(w, g, len(GROUPS), DRAWS, self._dice) for _, w, _, g in layers], 1)
        self._random += np.concatenate([drawn, drawn.mean(1, keepdims=True)], 1)
        self._people[image] += 1

    def table(self) -> list[dict[str, Any]]:
        """A dict for each row, all layers first; empty where nothing was added.

        Keys: ``layer``; by group, in the order of ``GROUPS``: ``weight`` with ``low`` and ``high`` (95 % interval over
        images), ``uniform``, ``random_low`` and ``random_high`` (range of 95 % of the draws), ``nearest``.
        """
        if not self._names:
            return []
        means = mean_over_people(self._sums, self._people)
        low, high = interval(self._sums[:, :, 0], self._people)
        random_low, random_high = np.quantile(self._random / self._people.sum(), (0.025, 0.975), axis=0)
        columns = {name: means[:, index] for index, name in enumerate(_MEASURES)}
        columns |= {"low": low, "high": high, "random_low": random_low, "random_high": random_high}
        rows = [
            {"layer": name} | {column: values[row].tolist() for column, values in columns.items()}
            for row, name in enumerate(self._names)
        ]
        return [rows[-1], *rows[:-1]]


def _of_layer(weights: Floats, distances: Floats, groups: Integers) -> list[Floats]:
    """Shares by group, in the order of ``_MEASURES``."""
    chosen = int((weights > 0).sum())
    return [
        weight_shares(weights, groups, len(GROUPS)),
        uniform_shares(groups, len(GROUPS)),
        nearest_shares(distances, groups, len(GROUPS), chosen),
    ]
