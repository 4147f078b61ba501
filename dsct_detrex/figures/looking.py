"""A model that is looked at: what it saw in a picture, and whom it found there, by the number of the subject query."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby, islice

import torch
from torch import Tensor

from dsct_detrex.dsct import DSCT, Observation
from dsct_detrex.dsct.postprocess import postprocess
from dsct_detrex.figures.ground import person_color
from dsct_detrex.figures.rows import rows_of
from dsct_detrex.figures.samples import Sample
from dsct_detrex.prediction import Predictor
from dsct_detrex.structures import Instances

_TOGETHER = 8
"""Pictures of one size that a figure of many runs at a time."""


@dataclass(frozen=True)
class Look:
    """What a model saw in one picture.

    Attributes:
        seen: of a batch of one.
        rows: the number of a person in each row of the picture, which gives people their colours, see ``rows_of``.
        people: those found, the surest first, as ``Predictor`` reports them, with the field ``query``, (n,) int64
            number of the subject query that found each.
    """

    seen: Observation
    people: Instances
    rows: list[int | None]

    def color(self, person: int) -> str:
        """Of the person with this number."""
        return person_color(self.rows.index(person))


@dataclass(frozen=True)
class Looking:
    """A checkpoint that is looked at.

    Attributes:
        predictor: it, with thresholds.
        name: how figures call it.
    """

    predictor: Predictor
    name: str
    _looks: dict[str, Look] = field(default_factory=dict, repr=False)

    @property
    def model(self) -> DSCT:
        """The detector, of whoever is no EMO-Net."""
        assert isinstance(self.predictor.model, DSCT)
        return self.predictor.model

    @torch.no_grad()
    def look(self, sample: Sample) -> Look:
        """One forward pass on a picture; a second figure of the same picture takes what the first saw."""
        if sample.name not in self._looks:
            entry = self.predictor.model_input(sample.photo)
            seen, last = self.model.observe([entry["image"]]), -1
            people = self._people(
                seen.layers[last].logits, seen.layers[last].boxes, [(entry["height"], entry["width"])]
            )
            kept = self.predictor.keep(people[0])
            self._looks[sample.name] = Look(seen, kept, rows_of(kept, sample.truth))
        return self._looks[sample.name]

    @torch.no_grad()
    def everybody(self, samples: Iterable[Sample]) -> Iterator[Instances]:
        """What every subject query says of every picture, nobody left out: N rows each, with ``query``."""
        entries = (self.predictor.model_input(sample.photo) for sample in samples)
        for _, same in groupby(entries, key=lambda entry: tuple(entry["image"].shape)):
            while batch := list(islice(same, _TOGETHER)):
                last = self.model.decode([entry["image"] for entry in batch])[-1]
                yield from self._people(last.logits, last.boxes, [(e["height"], e["width"]) for e in batch])

    def _people(self, logits: Tensor, boxes: Tensor, sizes: list[tuple[int, int]]) -> list[Instances]:
        people = postprocess(logits.cpu(), boxes.cpu(), sizes, self.predictor.emotions)
        for of_picture in people:
            of_picture.set("query", torch.arange(len(of_picture)))
        return people
